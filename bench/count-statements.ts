/**
 * Loaded into a process before everything else (`--import`), leaves there as a file, when the process ends, which statements it sent to PostgreSQL: how often, and how long
 * they were waited for, by what asked for them.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Context } from '@temporalio/activity'
import pg from 'pg'

/** What is known of statements of one text. */
interface Counted {
  /** The activity, or '' for what runs beside them. */
  by: string
  text: string
  times: number
  ms: number
}

const folder = process.env.MAYFLY_BENCH_STATEMENTS
const counted = new Map<string, Counted>()

function activity(): string {
  try {
    return Context.current().info.activityType
  } catch {
    return ''
  }
}

/** The text of a statement with what differs from one time to the next taken out. */
function textOf(query: unknown): string {
  const text = typeof query === 'object' && query !== null && 'text' in query ? query.text : query
  return String(text)
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\$\d+(, \$\d+)*/g, '$')
    .trim()
}

function note(query: unknown, answer: unknown): void {
  const [by, text, begin] = [activity(), textOf(query), performance.now()]
  const key = `${by} ${text}`
  const entry = counted.get(key) ?? { by, text, times: 0, ms: 0 }
  counted.set(key, entry)
  entry.times++
  if (!(answer instanceof Promise)) return
  const end = () => {
    entry.ms += performance.now() - begin
  }
  answer.then(end, end)
}

if (folder) {
  const send = pg.Client.prototype.query
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const answer: unknown = Reflect.apply(send, this, args)
    note(args[0], answer)
    return answer
  } as typeof send
  process.on('exit', () => {
    const entries = [...counted.values()].toSorted((a, b) => b.times - a.times)
    writeFileSync(join(folder, `statements-${process.pid}.json`), JSON.stringify(entries, null, 1))
  })
}
