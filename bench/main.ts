/** `npm run bench` lists the benches; `npm run bench -- NAME… [--json]` runs some (`all` for every one) and prints what they measured. */
import { parseArgs } from 'node:util'
import { type Bench, toJson, toTable } from './bench.ts'
import { idle } from './idle.ts'
import { ingest } from './ingest.ts'
import { launch } from './launch.ts'
import { lines } from './lines.ts'
import { overhead } from './overhead.ts'
import { schedules } from './schedules.ts'
import { type Stand, startStand } from './stand.ts'
import { workflow } from './workflow.ts'
import { writes } from './writes.ts'

const benches: Bench[] = [launch, overhead, lines, ingest, writes, workflow, schedules, idle]

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const unknown = positionals.filter((name) => name !== 'all' && !benches.some((bench) => bench.name === name))
if (unknown.length > 0) {
  console.error(`there is no bench ${unknown.join(', ')}; there are: ${benches.map(({ name }) => name).join(', ')}`)
  process.exitCode = 2
} else if (positionals.length === 0) {
  const width = Math.max(...benches.map(({ name }) => name.length))
  for (const { name, about, takes } of benches) console.log(`${name.padEnd(width)}  ${about} (${takes})`)
  console.log('\nnpm run bench -- NAME [--json]')
} else {
  const chosen = positionals.includes('all') ? benches : benches.filter(({ name }) => positionals.includes(name))
  await runBenches(chosen, values.json)
}

async function runBenches(chosen: Bench[], json: boolean): Promise<void> {
  const begin = performance.now()
  const say = (line: string): void =>
    console.error(`${((performance.now() - begin) / 1000).toFixed(1).padStart(6)}  ${line}`)
  let stand: Promise<Stand> | undefined
  const context = {
    say,
    stand: (): Promise<Stand> => {
      stand ??= startStand(say)
      return stand
    },
  }
  // A second signal ends us at once; the first one still takes down what was started.
  const interrupt = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => reject(new Error(signal)))
  })
  try {
    for (const bench of chosen) {
      say(`${bench.name}: ${bench.takes}`)
      const measurements = await Promise.race([bench.run(context), interrupt])
      console.log(json ? measurements.map(toJson).join('\n') : toTable(measurements))
    }
  } catch (error) {
    say(`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    process.exitCode = 1
  } finally {
    await (await stand?.catch(() => undefined))?.stop()
  }
}
