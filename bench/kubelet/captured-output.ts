/** What real runners wrote, for simulated ones to say again. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Ids of events begin like this; what follows differs between them. */
const idStart = /(?<=")[0-9a-f]{8}(?=-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")/g

interface Template {
  /** Text between the places where an id begins. */
  beginning: string[]
  end: string[]
}

/** Cut where the first half of the events is said, so that output comes in two pieces as of a play that takes its time. */
function template(file: string): Template {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'runner', 'fixtures', file), 'utf8')
  const lines = text.split(/(?<=\n)/).filter((line) => !line.startsWith('{"event": "keepalive"'))
  const last = lines.findIndex((line) => /^\{"status": "(?!starting|running)/.test(line))
  const middle = Math.ceil((2 + last) / 2)
  const parts = (some: string[]): string[] => some.join('').split(idStart)
  return { beginning: parts(lines.slice(0, middle)), end: parts(lines.slice(middle)) }
}

/** Captured runs: one short play each. */
const captured = {
  successful: template('worker-keepalive.stream'),
  failed: template('worker-failed.stream'),
  canceled: template('worker-canceled.stream'),
}

/** A run's output in two pieces; `id` is 8 hexadecimal digits that no other run's events begin with. */
export function capturedOutput(kind: keyof typeof captured, id: string): { beginning: Buffer; end: Buffer } {
  const { beginning, end } = captured[kind]
  return { beginning: Buffer.from(beginning.join(id)), end: Buffer.from(end.join(id)) }
}
