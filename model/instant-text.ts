/** An instant in texts for people, to whom seconds are enough: `2026-11-21T13:17:15Z`. What is none is shown as it is. */
export function instantText(instant: string): string {
  const time = new Date(instant)
  return Number.isNaN(time.getTime()) ? instant : `${time.toISOString().slice(0, 19)}Z`
}
