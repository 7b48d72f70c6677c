/** The few statistics that benches print. */

/** The value below which the share `p` (0 to 1) of the values lies, interpolated between neighbours; NaN for no values. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const place = (sorted.length - 1) * p
  const low = sorted[Math.floor(place)]
  const high = sorted[Math.ceil(place)]
  if (low === undefined || high === undefined) return Number.NaN
  return low + (high - low) * (place - Math.floor(place))
}

/** The middle value. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** Two measurements taken one right after the other, so that the machine's mood touches both alike. */
export interface Pair {
  ours: number
  raw: number
}

/** Median of the differences within pairs: what we add to the raw thing. */
export function medianDifference(pairs: readonly Pair[]): number {
  return median(pairs.map(({ ours, raw }) => ours - raw))
}

/** Median of the ratios within pairs. */
export function medianRatio(pairs: readonly Pair[]): number {
  return median(pairs.map(({ ours, raw }) => ours / raw))
}

/** Runs both sides `count` times, alternating which goes first, so that neither always finds the warmer machine. */
export async function paired(count: number, ours: () => Promise<number>, raw: () => Promise<number>): Promise<Pair[]> {
  const pairs: Pair[] = []
  for (let index = 0; index < count; index++) {
    if (index % 2 === 0) {
      const first = await ours()
      pairs.push({ ours: first, raw: await raw() })
    } else {
      const first = await raw()
      pairs.push({ raw: first, ours: await ours() })
    }
  }
  return pairs
}
