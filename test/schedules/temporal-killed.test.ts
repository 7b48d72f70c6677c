/** Temporal itself is killed in the seconds of firing: every run still happens, once. It is a Temporal of this file's own, so nobody else is disturbed. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { restartPart, startStack, stopStack } from '../../dev/stack.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { onceAt, Schedules } from '../setup/schedules.ts'

const undo = new Undo()
const stack = `schedules-${randomBytes(3).toString('hex')}`
let mayfly: Mayfly
let schedules: Schedules

beforeAll(async () => {
  undo.add(() => stopStack(stack, { erase: true }))
  const want = { kubernetes: false, temporal: true, image: false, postgres: false }
  const { temporalAddress } = await startStack({ name: stack, want, progress: () => {} })
  if (!temporalAddress) throw new Error('there is no Temporal')
  mayfly = await startMayfly({ env: { TEMPORAL_ADDRESS: temporalAddress, TEMPORAL_NAMESPACE: 'default' } })
  undo.add(() => mayfly.stop())
  schedules = await Schedules.open(mayfly, { address: temporalAddress, namespace: 'default' })
  undo.add(() => schedules.close())
})
afterAll(() => undo.all())

test('killed and started again while schedules fire', async () => {
  const { at: start, ids } = await schedules.ahead(3, (first) =>
    Array.from({ length: 8 }, (_, n) => schedules.make(onceAt(first + n * 1000))),
  )
  await sleep(Math.max(0, start + 1_950 - Date.now()))
  await restartPart(stack, 'temporal')
  for (const id of ids) await schedules.ran(id)
  // What Temporal started late would have come by now.
  await sleep(Math.max(2_000, start + 9_500 - Date.now()))
  for (const id of ids) expect(await schedules.jobs(id)).toHaveLength(1)
})
