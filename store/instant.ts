/**
 * Writes an instant as AWX's API does: `2024-07-12 20:38:21.63+00` (the store's text) becomes `2024-07-12T20:38:21.630000Z`; a whole second
 * has no fraction. The store's sessions run in UTC, so the zone is always +00 and no digit is lost.
 */
export function toWireTime(text: string): string
export function toWireTime(text: string | null): string | null
export function toWireTime(text: string | null): string | null {
  if (text === null) return null
  const parts = /^(\d+-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:\+00(?::00)?|Z)$/.exec(text)
  if (!parts) throw new RangeError(`not an instant in UTC: ${text}`)
  const [, date, time, fraction] = parts
  return `${date}T${time}${fraction ? `.${fraction.padEnd(6, '0')}` : ''}Z`
}
