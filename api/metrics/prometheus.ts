/** A metric with all its samples, as Prometheus takes them. */
export interface MetricFamily {
  name: string
  help: string
  samples: Sample[]
}

/** One value; labels tell the samples of a family apart. */
export interface Sample {
  labels?: Record<string, string>
  value: number
}

/** Content type of Prometheus' text format. */
export const textFormat = 'text/plain; version=0.0.4; charset=utf-8'

/** Prometheus' text format: what is measured, and all of it gauges, as in AWX. */
export function prometheusText(families: readonly MetricFamily[]): string {
  return families.map(familyText).join('')
}

function familyText({ name, help, samples }: MetricFamily): string {
  const lines = samples.map(({ labels = {}, value }) => `${name}${labelText(labels)} ${numberText(value)}\n`)
  return `# HELP ${name} ${escaped(help, false)}\n# TYPE ${name} gauge\n${lines.join('')}`
}

function labelText(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value, true)}"`)
  return pairs.length > 0 ? `{${pairs.join(',')}}` : ''
}

function escaped(text: string, quotes: boolean): string {
  const plain = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return quotes ? plain.replaceAll('"', '\\"') : plain
}

/** Whole numbers end in `.0`, as AWX's library writes them. */
function numberText(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value)
}

/** The same in AWX's JSON. */
export function prometheusJson(families: readonly MetricFamily[]): Record<string, unknown> {
  return Object.fromEntries(
    families.map(({ name, help, samples }) => [
      name,
      { help_text: help, type: 'gauge', samples: samples.map(({ labels = {}, value }) => ({ labels, value })) },
    ]),
  )
}
