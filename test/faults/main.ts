/**
 * `npm run faults -- [--seed N] [--all] [--faults NAMES] [--at NAMES] [--stack] [--width N] [--real]`: the fault matrix. With `--all` every cell is run
 * and docs/fault-matrix.md is written, without it a sample. NAMES are parts of names of columns or rows with commas between them (`=NAME` is a
 * whole one); what is not run stays in the page as it is. `--stack` also restarts parts of the stack, so nobody else may use it. `--width`:
 * how many jobs of single faults run side by side.
 */
import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const
const { values } = parseArgs({
  options: { seed: text, all: flag, faults: text, at: text, stack: flag, width: text, real: flag },
})
const given = {
  FAULTS_SEED: values.seed ?? String(Date.now() % 1_000_000),
  FAULTS_OF: values.faults,
  FAULTS_AT: values.at,
  FAULTS_ALL: values.all ? 'yes' : undefined,
  FAULTS_STACK: values.stack ? 'yes' : undefined,
  FAULTS_WIDTH: values.width,
  FAULTS_NODES: values.real ? 'real' : undefined,
}
console.log(`seed ${given.FAULTS_SEED}`)
const child = spawn(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/faults/long.config.ts'],
  {
    env: { ...process.env, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) },
    stdio: 'inherit',
  },
)
process.on('SIGTERM', () => child.kill())
child.on('close', (code) => {
  process.exitCode = code ?? 1
})
