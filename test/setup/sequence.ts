import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** End-to-end files that take long, the longest first: how their place in `test/` begins. */
export const longest = [
  'faults/',
  'causes/node-lost',
  'cli/demo',
  'workflows/killed',
  'workflows/slices',
  'retry/hold',
  'operator/temporal',
  'schedules/firing',
  'operator/reaper',
  'causes/causes',
  'capacity/waiting',
  'play/play',
  'cancel/cancel',
  'hostile/temporal-away',
  'hostile/output',
  'adhoc/ad-hoc',
  'projects/updates',
  'order/order',
  'capacity/fallback',
  'hostile/database-away',
  'cli/dev',
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
