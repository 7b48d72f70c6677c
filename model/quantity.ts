const factors: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** The number behind a Kubernetes quantity: '500m' is 0.5, '1Gi' is 1073741824, '1e3' is 1000. NaN for what is none. */
export function parseQuantity(text: string): number {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(text.trim())
  if (!match) return Number.NaN
  if (match[2] !== undefined) return Number(`${match[1]}e${match[2]}`)
  return Number(match[1]) * (factors[match[3] ?? ''] ?? Number.NaN)
}

/** Suffixes that are multiples of 1024, largest first. */
const binary = ['Ei', 'Pi', 'Ti', 'Gi', 'Mi', 'Ki'] as const

/** A number as a Kubernetes quantity that people read easily: 0.25 is '250m', 1073741824 is '1Gi', 4 is '4'. */
export function formatQuantity(amount: number): string {
  if (!Number.isInteger(amount)) return `${Math.ceil(Math.round(amount * 1e6) / 1e3)}m`
  const unit = binary.find((suffix) => amount >= (factors[suffix] ?? 0) && amount % (factors[suffix] ?? 1) === 0)
  return unit ? `${amount / (factors[unit] ?? 1)}${unit}` : String(amount)
}
