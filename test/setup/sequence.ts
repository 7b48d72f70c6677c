import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** End-to-end files that take long, the longest first: how their place in `test/` begins. */
export const longest = [
  'faults/',
  'causes/node-lost',
  'cli/demo',
  'workflows/killed',
  'workflows/slices',
  'operator/temporal',
  'schedules/firing',
  'retry/hold',
  'clients/awx',
  'notifications/',
  'causes/causes',
  'inventory-updates/launch',
  'kubernetes/spool',
  'play/fields',
  'play/play',
  'workflows/scale',
  'capacity/',
  'hostile/burst',
  'operator/reaper',
  'retry/retry',
  'hostile/temporal-away',
  'adhoc/ad-hoc',
  'hostile/output',
  'system-jobs/',
  'workflows/runs',
  'cancel/cancel',
  'container/',
  'workflows-api/',
  'hostile/fuzz',
  'order/order',
  'projects/',
  'acceptance/rows',
  'hostile/database-away',
  'cli/dev',
  'cli/doctor',
]

/** Place of a file in the list; behind all of them for one that is not there. */
export function placeOf(file: string): number {
  const place = longest.findIndex((name) => file.includes(`/test/${name}`))
  return place < 0 ? longest.length : place
}

/** Begins with the files that are known to take long: one that begins last keeps all others waiting, and a fresh clone remembers no durations. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((one, other) => placeOf(one.moduleId) - placeOf(other.moduleId))
  }
}
