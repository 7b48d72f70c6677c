/**
 * `npm test`: the cheap checks first, then every test of every Vitest project. All stages run even when an earlier one
 * failed, so that one run tells everything. The last line is `N passed, N failed`; a failed check counts as one failure.
 * Arguments go to Vitest: `npm test -- --project unit store`.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Counts, closingLine, countTests, type VitestReport } from './counts.ts'

interface Stage {
  name: string
  command: string[]
  /** A stage that takes longer hangs; it is ended. */
  minutes: number
}

const checks: Stage[] = [
  { name: 'lint', command: ['npm', 'run', '--silent', 'lint'], minutes: 5 },
  { name: 'types', command: ['npm', 'run', '--silent', 'types'], minutes: 10 },
]

/** Runs a stage with our own output; resolves with whether it succeeded. */
function runStage(stage: Stage): Promise<boolean> {
  const begin = performance.now()
  console.log(`── ${stage.name}`)
  return new Promise((resolve) => {
    const [program = '', ...args] = stage.command
    // A group of its own, so that the time limit ends the grandchildren too.
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true })
    const end = (signal: NodeJS.Signals): void => {
      if (child.pid) process.kill(-child.pid, signal)
    }
    const limit = setTimeout(() => {
      console.log(`── ${stage.name}: ended after ${stage.minutes} min`)
      end('SIGKILL')
    }, stage.minutes * 60_000)
    const forward = (signal: NodeJS.Signals): void => end(signal)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, forward)
    const finish = (ok: boolean, what: string): void => {
      clearTimeout(limit)
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, forward)
      console.log(`── ${stage.name}: ${what}, ${((performance.now() - begin) / 1000).toFixed(1)} s`)
      resolve(ok)
    }
    child.on('error', (error) => finish(false, `cannot run: ${error.message}`))
    child.on('close', (code, signal) =>
      finish(code === 0, code === 0 ? 'ok' : `FAILED (${signal ?? `exit code ${code}`})`),
    )
  })
}

/** Runs Vitest and counts what it reports; a run without a readable report is one failure. */
async function runTests(name: string, args: string[], minutes: number): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-test-'))
  try {
    const report = join(folder, 'report.json')
    const command = ['node_modules/.bin/vitest', 'run', '--reporter=default', '--reporter=json', '--silent=passed-only']
    command.push(`--outputFile.json=${report}`, ...args)
    const ok = await runStage({ name, command, minutes })
    return countTests(ok, readReport(report))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport
  } catch {
    return undefined
  }
}

let failedChecks = 0
for (const check of checks) if (!(await runStage(check))) failedChecks++
const args = process.argv.slice(2)
// Two runs: a stack that does not come up hides no unit test. The second has both projects that need it, so that it comes up once; Vitest begins
// with the tests that restart its parts, which it runs one by one, when all others are over.
const runs =
  args.length > 0
    ? [await runTests('tests', args, 90)]
    : [
        await runTests('unit tests', ['--project', 'unit'], 20),
        await runTests('end-to-end tests', ['--project', 'e2e', '--project', 'disruption'], 75),
      ]
const sum = (key: keyof Counts): number => runs.reduce((total, counts) => total + counts[key], 0)
if (sum('skipped') > 0) console.log(`${sum('skipped')} skipped`)
const failed = sum('failed') + failedChecks
console.log(closingLine({ passed: sum('passed'), failed }))
process.exitCode = failed > 0 ? 1 : 0
