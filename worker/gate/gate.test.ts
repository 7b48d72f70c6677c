import type { SlotPermit, SlotReserveContext } from '@temporalio/worker'
import { expect, test } from 'vitest'
import type { GroupLimits } from '../../model/capacity.ts'
import { Gate } from './gate.ts'

const context = {} as SlotReserveContext

const unlimited: GroupLimits = { maxConcurrentJobs: 0, maxForks: 0, drainingSince: null, drainDeadline: null }

function open(limit: number, live = 0) {
  const view = {
    limits: { ...unlimited, maxConcurrentJobs: limit },
    taken: { jobs: live, forks: 0 },
    brake: null as string | null,
    fits: Number.POSITIVE_INFINITY,
  }
  const gate = new Gate({
    limits: () => view.limits,
    taken: () => view.taken,
    brake: () => view.brake,
    fits: () => view.fits,
  })
  const change = (changes: Partial<typeof view>) => {
    Object.assign(view, changes)
    gate.reconsider()
  }
  return { gate, view, change }
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
  const { gate, change } = open(0, 10_000)
  const signal = new AbortController().signal
  expect(await state(gate.reserveSlot(context, signal))).toBe('granted')
  change({ brake: 'quota' })
  const blocked = gate.reserveSlot(context, signal)
  expect(await state(blocked)).toBe('waiting')
  change({ brake: null })
  expect(await state(blocked)).toBe('granted')
})

test('a released permit and a freed place wake the one that waits', async () => {
  const { gate, view } = open(1)
  const signal = new AbortController().signal
  const permit = await gate.reserveSlot(context, signal)
  const second = gate.reserveSlot(context, signal)
  view.taken.jobs = 1
  gate.releaseSlot({ permit } as Parameters<Gate['releaseSlot']>[0])
  expect(await state(second)).toBe('waiting')
  view.taken.jobs = 0
  gate.reconsider()
  expect(await state(second)).toBe('granted')
})

test('a job that an open poll brings while the brake is closed waits until it opens', async () => {
  const { gate, change } = open(0)
  const controller = new AbortController()
  await gate.unbraked(controller.signal)
  change({ brake: 'quota' })
  const waiting = gate.unbraked(controller.signal).then(() => ({}))
  gate.reconsider()
  expect(await state(waiting)).toBe('waiting')
  change({ brake: null })
  expect(await state(waiting)).toBe('granted')
  change({ brake: 'quota' })
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
      view.taken.jobs++
      gate.releaseSlot({ permit: permits.pop() as SlotPermit } as Parameters<Gate['releaseSlot']>[0])
    }
    if (choice === 2 && view.taken.jobs > 0) {
      view.taken.jobs--
      gate.reconsider()
    }
    if (choice === 3) {
      view.limits = { ...unlimited, maxConcurrentJobs: 1 + random(6) }
      gate.reconsider()
    }
    const [limitBefore, taken] = [view.limits.maxConcurrentJobs, view.taken.jobs + permits.length]
    if (pending && (await state(pending)) === 'granted') {
      permits.push(await pending)
      pending = undefined
      expect(taken + 1, `step ${step}`).toBeLessThanOrEqual(limitBefore)
    }
    expect(gate.permits).toBe(permits.length)
  }
})

test('a job that was refused is told of room, and not of changes that leave none', async () => {
  const { gate, view, change } = open(2, 2)
  const signal = new AbortController().signal
  change({ brake: 'quota' })
  let told = false
  const room = gate.room(signal, { impact: 1, since: 1 }).then(() => {
    told = true
  })
  view.taken.jobs = 1
  gate.reconsider()
  await new Promise(setImmediate)
  expect(told).toBe(false)
  change({ brake: null })
  await room
})

test('a job that was refused does not count its own permit', async () => {
  const { gate } = open(1)
  const signal = new AbortController().signal
  await gate.reserveSlot(context, signal)
  const room = gate.room(signal, { impact: 1, since: 1 })
  gate.reconsider()
  await room
})

test('waiting for room ends with the reason of the abort', async () => {
  const { gate } = open(1, 1)
  const controller = new AbortController()
  const room = gate.room(controller.signal, { impact: 1, since: 1 })
  controller.abort(new Error('cancelled'))
  await expect(room).rejects.toThrow('cancelled')
})

test('forks that are in use keep jobs out, and what comes counts for one at least', async () => {
  const { gate, change } = open(0)
  const signal = new AbortController().signal
  change({ limits: { ...unlimited, maxForks: 6 }, taken: { jobs: 1, forks: 4 } })
  expect(gate.tryReserveSlot()).not.toBeNull()
  expect(gate.tryReserveSlot()).not.toBeNull()
  const third = gate.reserveSlot(context, signal)
  expect(await state(third)).toBe('waiting')
  change({ taken: { jobs: 1, forks: 3 } })
  expect(await state(third)).toBe('granted')
})

test('nobody is let in past a large job that waits for its forks, and it is told when they are free', async () => {
  const { gate, change } = open(0)
  const controller = new AbortController()
  change({ limits: { ...unlimited, maxForks: 10 }, taken: { jobs: 2, forks: 6 } })
  gate.tryReserveSlot()
  const first = { impact: 6, since: 1 }
  const large = gate.room(controller.signal, first).then(() => ({}))
  gate.tryReserveSlot()
  expect(gate.permits, 'three forks are free, and one would get them').toBe(1)
  const small = gate.room(controller.signal, { impact: 4, since: 2 }).then(() => ({}))
  change({ taken: { jobs: 2, forks: 5 } })
  expect(await state(small), 'it came later').toBe('waiting')
  change({ taken: { jobs: 1, forks: 4 } })
  expect(await state(large)).toBe('granted')
  expect(await state(small)).toBe('waiting')
  change({ taken: { jobs: 2, forks: 10 } })
  gate.left(first)
  expect(await state(small)).toBe('waiting')
  change({ taken: { jobs: 1, forks: 6 } })
  expect(await state(small)).toBe('granted')
})

test('a job that no longer fits at all is let go, to be told', async () => {
  const { gate, change } = open(0)
  change({ limits: { ...unlimited, maxForks: 10 }, taken: { jobs: 1, forks: 9 } })
  const room = gate.room(new AbortController().signal, { impact: 6, since: 1 }).then(() => ({}))
  expect(await state(room)).toBe('waiting')
  change({ limits: { ...unlimited, maxForks: 5 } })
  expect(await state(room)).toBe('granted')
})

test('a group that is drained admits nobody until it is not', async () => {
  const { gate, change } = open(5)
  const signal = new AbortController().signal
  change({ limits: { ...unlimited, drainingSince: '2026-11-21T12:00:00Z' } })
  const slot = gate.reserveSlot(context, signal)
  const room = gate.room(signal, { impact: 1, since: 1 }).then(() => ({}))
  expect([await state(slot), await state(room)]).toEqual(['waiting', 'waiting'])
  change({ limits: unlimited })
  expect([await state(slot), await state(room)]).toEqual(['granted', 'granted'])
})

test('a watched quota lets in as many as it has room for', async () => {
  const { gate, change } = open(0)
  change({ fits: 2 })
  expect([gate.tryReserveSlot(), gate.tryReserveSlot(), gate.tryReserveSlot()].filter(Boolean)).toHaveLength(2)
  const room = gate.room(new AbortController().signal, { impact: 1, since: 1 }).then(() => ({}))
  change({ fits: 0 })
  expect(await state(room)).toBe('waiting')
  change({ fits: 1 })
  expect(await state(room)).toBe('granted')
})
