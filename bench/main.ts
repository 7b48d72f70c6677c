/** `npm run bench` lists the benches; `npm run bench -- NAME… [--json]` runs some (`all` for every one) and prints what they measured. */
import { parseArgs } from 'node:util'
import { accept } from './accept.ts'
import { backlog } from './backlog.ts'
import {
  type Bench,
  type BenchContext,
  type CancelOrder,
  cancelOrders,
  reached,
  sizes,
  toJson,
  toTable,
} from './bench.ts'
import { groups } from './groups.ts'
import { hollow } from './hollow.ts'
import { idle } from './idle.ts'
import { ingest } from './ingest.ts'
import { launch } from './launch.ts'
import { lines } from './lines.ts'
import { overhead } from './overhead.ts'
import { type Temporal, temporals } from './parts.ts'
import { refill } from './refill.ts'
import { replay } from './replay.ts'
import { schedules } from './schedules.ts'
import { soak } from './soak.ts'
import { stages } from './stages.ts'
import { type Stand, startStand } from './stand.ts'
import { takeover } from './takeover.ts'
import { throughput } from './throughput.ts'
import { workflow } from './workflow.ts'
import { writes } from './writes.ts'

const benches: Bench[] = [
  launch,
  accept,
  overhead,
  lines,
  ingest,
  writes,
  workflow,
  schedules,
  refill,
  throughput,
  hollow,
  stages,
  replay,
  backlog,
  groups,
  takeover,
  soak,
  idle,
]

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    temporal: { type: 'string', default: 'development' },
    cancels: { type: 'string', default: 'newest' },
    ...Object.fromEntries(sizes.map((name) => [name, { type: 'string' as const }])),
  },
  allowPositionals: true,
})
const temporal = temporals.find((one) => one === values.temporal)
const cancels = cancelOrders.find((one) => one === values.cancels)
const unknown = positionals.filter((name) => name !== 'all' && !benches.some((bench) => bench.name === name))
if (unknown.length > 0) {
  console.error(`there is no bench ${unknown.join(', ')}; there are: ${benches.map(({ name }) => name).join(', ')}`)
  process.exitCode = 2
} else if (!temporal) {
  console.error(`there is no Temporal called ${values.temporal}; there are: ${temporals.join(', ')}`)
  process.exitCode = 2
} else if (!cancels) {
  console.error(`nobody can be cancelled ${values.cancels} first, only ${cancelOrders.join(' or ')}`)
  process.exitCode = 2
} else if (positionals.length === 0) {
  const width = Math.max(...benches.map(({ name }) => name.length))
  for (const { name, about, takes } of benches) console.log(`${name.padEnd(width)}  ${about} (${takes})`)
  console.log(
    `\nnpm run bench -- NAME [--json] [--temporal ${temporals.join('|')}] [--cancels ${cancelOrders.join('|')}] [--SIZE N], where SIZE is ${sizes.join(', ')}`,
  )
} else {
  const chosen = positionals.includes('all') ? benches : benches.filter(({ name }) => positionals.includes(name))
  await runBenches(chosen, values.json === true, temporal, cancels)
}

/** A size of the command line; undefined where it gives none. */
function sizeOf(name: (typeof sizes)[number]): number | undefined {
  const given = (values as Record<string, unknown>)[name]
  if (given === undefined) return undefined
  const value = Number(given)
  if (!Number.isFinite(value) || value <= 0) throw new Error(`--${name} ${given} is no positive number`)
  return value
}

async function runBenches(chosen: Bench[], json: boolean, temporal: Temporal, cancels: CancelOrder): Promise<void> {
  const begin = performance.now()
  const say = (line: string): void =>
    console.error(`${((performance.now() - begin) / 1000).toFixed(1).padStart(6)}  ${line}`)
  let stand: Promise<Stand> | undefined
  const context: BenchContext = {
    say,
    temporal,
    cancels,
    size: (name, otherwise) => sizeOf(name) ?? otherwise,
    stand: (): Promise<Stand> => {
      stand ??= startStand(say, temporal)
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
      if (bench.strict && !measurements.every(reached)) process.exitCode = 1
      console.log(json ? measurements.map(toJson).join('\n') : toTable(measurements))
    }
  } catch (error) {
    say(`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    process.exitCode = 1
  } finally {
    await (await stand?.catch(() => undefined))?.stop()
  }
}
