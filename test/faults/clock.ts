/**
 * Loaded into a worker before everything else (`node --import`): on SIGUSR2 its wall clock jumps by the milliseconds that the file named in
 * MAYFLY_TEST_CLOCK holds. Timers and performance.now() go on as before, as they do when an administrator or NTP sets a clock.
 */
import { readFileSync } from 'node:fs'

const RealDate = Date
let offset = 0

class JumpingDate extends RealDate {
  constructor(...values: unknown[]) {
    if (values.length === 0) super(RealDate.now() + offset)
    else super(...(values as [number]))
  }

  static override now(): number {
    return RealDate.now() + offset
  }
}

globalThis.Date = JumpingDate as DateConstructor
process.on('SIGUSR2', () => {
  offset = Number(readFileSync(process.env.MAYFLY_TEST_CLOCK ?? '', 'utf8'))
})
