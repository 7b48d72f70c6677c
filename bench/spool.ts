/** Spools of any length, made of events that a real runner emitted. */
import { once } from 'node:events'
import { createWriteStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'

const fixture = join(import.meta.dirname, '..', 'runner', 'fixtures', 'worker-all-events.stream')

/** The event lines of a captured run of every kind of event, without counter and identity. */
export function capturedEvents(): Record<string, unknown>[] {
  return readFileSync(fixture, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes('"counter"'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** Writes a spool of `count` events that repeats the captured ones, numbered anew; gives its size in bytes. */
export async function writeSpool(file: string, count: number): Promise<number> {
  const captured = capturedEvents()
  const output = createWriteStream(file)
  output.write('{"status": "starting", "command": [], "env": {}, "cwd": "/"}\n{"status": "running"}\n')
  for (let counter = 1; counter <= count; counter++) {
    const event = captured[counter % captured.length]
    const uuid = `00000000-0000-4000-8000-${String(counter).padStart(12, '0')}`
    const numbered = { ...event, counter, uuid, start_line: counter - 1, end_line: counter }
    if (!output.write(`${JSON.stringify(numbered)}\n`)) await once(output, 'drain')
  }
  output.end('{"status": "successful"}\n{"eof": true}\n')
  await finished(output)
  return output.bytesWritten
}

/**
 * A stand-in for `ansible-runner` that says at once what a playbook of `count` events would say over hours, so that nothing but our side
 * limits the rate. Python, because every execution environment has it; reads the events to repeat from a file beside it.
 */
export function fastRunner(count: number): string {
  return `#!/usr/bin/env python3
import json, os, sys
captured = [json.loads(line) for line in open(os.path.join('/bench', 'events'))]
out = sys.stdout
out.write('{"status": "starting", "command": [], "env": {}, "cwd": "/"}\\n{"status": "running"}\\n')
for counter in range(1, ${count} + 1):
    event = captured[counter % len(captured)]
    event.update(counter=counter, uuid='00000000-0000-4000-8000-%012d' % counter, start_line=counter - 1, end_line=counter)
    out.write(json.dumps(event) + '\\n')
out.write('{"status": "successful"}\\n{"eof": true}\\n')
`
}
