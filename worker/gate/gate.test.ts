import type { SlotPermit, SlotReserveContext } from '@temporalio/worker'
import { expect, test } from 'vitest'
import { Gate } from './gate.ts'

const context = {} as SlotReserveContext

function open(limit: number, live = 0) {
  const view = { limitNow: limit, liveNow: live }
  const gate = new Gate({ limit: () => view.limitNow, live: () => view.liveNow })
  return { gate, view }
}

/** What a reservation has become by the time everything that is due has run. */
async function state(reservation: Promise<SlotPermit>): Promise<'granted' | 'waiting'> {
  const later = new Promise<'waiting'>((resolve) => setImmediate(() => resolve('waiting')))
  return Promise.race([reservation.then(() => 'granted' as const), later])
}

test('grants while live places and permits out stay below the limit', async () => {
  const { gate } = open(3, 1)
  const signal = new AbortController().signal
  expect(await state(gate.reserveSlot(context, signal))).toBe('granted')
  expect(await state(gate.reserveSlot(context, signal))).toBe('granted')
  expect(await state(gate.reserveSlot(context, signal))).toBe('waiting')
  expect(gate.permits).toBe(2)
})

test('no limit means that only the brake can stop it', async () => {
  const { gate } = open(0, 10_000)
  const signal = new AbortController().signal
  expect(await state(gate.reserveSlot(context, signal))).toBe('granted')
  gate.closeBrake('quota')
  const blocked = gate.reserveSlot(context, signal)
  expect(await state(blocked)).toBe('waiting')
  gate.openBrake()
  expect(await state(blocked)).toBe('granted')
})

test('a released permit and a freed place wake the one that waits', async () => {
  const { gate, view } = open(1)
  const signal = new AbortController().signal
  const permit = await gate.reserveSlot(context, signal)
  const second = gate.reserveSlot(context, signal)
  view.liveNow = 1
  gate.releaseSlot({ permit } as Parameters<Gate['releaseSlot']>[0])
  expect(await state(second)).toBe('waiting')
  view.liveNow = 0
  gate.reconsider()
  expect(await state(second)).toBe('granted')
})

test('a job that an open poll brings while the brake is closed waits until it opens', async () => {
  const { gate } = open(0)
  const controller = new AbortController()
  await gate.unbraked(controller.signal)
  gate.closeBrake('quota')
  const waiting = gate.unbraked(controller.signal).then(() => ({}))
  gate.reconsider()
  expect(await state(waiting)).toBe('waiting')
  gate.openBrake()
  expect(await state(waiting)).toBe('granted')
  gate.closeBrake('quota')
  const given = gate.unbraked(controller.signal)
  controller.abort(new Error('cancelled'))
  await expect(given).rejects.toThrow('cancelled')
})

test('an aborted reservation fails with the reason of the abort and takes no permit', async () => {
  const { gate } = open(1, 1)
  const controller = new AbortController()
  const reservation = gate.reserveSlot(context, controller.signal)
  controller.abort(new Error('shutting down'))
  await expect(reservation).rejects.toThrow('shutting down')
  expect(gate.permits).toBe(0)
  expect(gate.tryReserveSlot()).toBeNull()
})

test('whatever the order of admissions, endings and limit changes, the limit of the moment is never passed by a grant', async () => {
  const signal = new AbortController().signal
  let seed = 7
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed % below
  }
  const { gate, view } = open(4)
  const permits: SlotPermit[] = []
  let pending: Promise<SlotPermit> | undefined
  for (let step = 0; step < 3_000; step++) {
    const choice = random(5)
    if (choice === 0 && !pending) pending = gate.reserveSlot(context, signal)
    if (choice === 1 && permits.length > 0) {
      // An admission: the permit goes, a pod comes.
      view.liveNow++
      gate.releaseSlot({ permit: permits.pop() as SlotPermit } as Parameters<Gate['releaseSlot']>[0])
    }
    if (choice === 2 && view.liveNow > 0) {
      view.liveNow--
      gate.reconsider()
    }
    if (choice === 3) {
      view.limitNow = 1 + random(6)
      gate.reconsider()
    }
    const [limitBefore, taken] = [view.limitNow, view.liveNow + permits.length]
    if (pending && (await state(pending)) === 'granted') {
      permits.push(await pending)
      pending = undefined
      expect(taken + 1, `step ${step}`).toBeLessThanOrEqual(limitBefore)
    }
    expect(gate.permits).toBe(permits.length)
  }
})

test('a job that was refused is told of room, and not of changes that leave none', async () => {
  const { gate, view } = open(2, 2)
  const signal = new AbortController().signal
  gate.closeBrake('quota')
  let told = false
  const room = gate.room(signal).then(() => {
    told = true
  })
  view.liveNow = 1
  gate.reconsider()
  await new Promise(setImmediate)
  expect(told).toBe(false)
  gate.openBrake()
  await room
})

test('a job that was refused does not count its own permit', async () => {
  const { gate } = open(1)
  const signal = new AbortController().signal
  await gate.reserveSlot(context, signal)
  const room = gate.room(signal)
  gate.reconsider()
  await room
})

test('waiting for room ends with the reason of the abort', async () => {
  const { gate } = open(1, 1)
  const controller = new AbortController()
  const room = gate.room(controller.signal)
  controller.abort(new Error('cancelled'))
  await expect(room).rejects.toThrow('cancelled')
})
