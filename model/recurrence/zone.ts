import { daySeconds } from './calendar.ts'
import type { WallTime } from './rule.ts'
import { isTimeZone } from './zone-names.ts'

const formats = new Map<string, Intl.DateTimeFormat>()

/** What a time zone's clocks show at an instant (seconds since 1970), as a wall-clock time. */
export function wallTime(zone: string, instant: number): WallTime {
  if (zone === 'UTC') return instant
  const parts: Record<string, number> = {}
  for (const { type, value } of format(zone).formatToParts(instant * 1000)) parts[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000
}

/**
 * The instant (seconds since 1970) at which a time zone's clocks show a wall-clock time. Null for times that clocks jump over; of times that they show
 * twice, the first.
 */
export function instantOf(zone: string, wall: WallTime): number | null {
  if (zone === 'UTC') return wall
  const before = offset(zone, wall - daySeconds)
  const after = offset(zone, wall + daySeconds)
  if (before === after) return wall - before
  const candidates = [wall - Math.max(before, after), wall - Math.min(before, after)]
  return candidates.find((instant) => wallTime(zone, instant) === wall) ?? null
}

/** Writes an instant with the zone's offset, as Python's `isoformat` does; `Z` where that is zero. */
export function toLocalText(zone: string, instant: number): string {
  const seconds = offset(zone, instant)
  const local = toWallText(instant + seconds)
  if (seconds === 0) return `${local}Z`
  const two = (value: number) => String(value).padStart(2, '0')
  const size = Math.abs(seconds)
  return `${local}${seconds < 0 ? '-' : '+'}${two(Math.floor(size / 3600))}:${two(Math.floor(size / 60) % 60)}`
}

/** `2030-01-01T00:00:00`. */
export const toWallText = (wall: WallTime): string => new Date(wall * 1000).toISOString().slice(0, 19)

const offset = (zone: string, instant: number) => wallTime(zone, instant) - instant

function format(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known) return known
  if (!isTimeZone(zone)) throw new RangeError(`no time zone: ${zone}`)
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  formats.set(zone, made)
  return made
}
