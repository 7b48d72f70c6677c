import type { JobRun } from './job.ts'

/** The runs as a table with one column a job. */
export function tableOf(runs: readonly JobRun[]): string {
  const rows: [string, (run: JobRun) => string][] = [
    ['job', ({ id }) => String(id)],
    ['status', ({ status }) => status],
    ['queued', ({ queued }) => duration(queued)],
    ['pod start', ({ podStart }) => duration(podStart)],
    ['play', ({ play }) => duration(play)],
    ['clean-up', ({ cleanUp }) => duration(cleanUp)],
    ['total', ({ queued, podStart, play, cleanUp }) => duration(queued + podStart + play + cleanUp)],
    ['lines', ({ lines }) => String(lines)],
    ['changed', ({ changed }) => String(changed)],
    ['pods left', ({ podsLeft }) => String(podsLeft)],
  ]
  const cells = rows.map(([name, of]) => [name, ...runs.map(of)])
  const width = Math.max(...cells.flat().map((cell) => cell.length))
  return cells
    .map(([name = '', ...values]) => `  ${name.padEnd(10)} ${values.map((one) => one.padStart(width)).join('  ')}`)
    .join('\n')
}

function duration(seconds: number): string {
  return `${seconds.toFixed(2)} s`
}
