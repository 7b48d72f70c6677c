/** What must hold when all jobs of a test file have ended. */
import pg from 'pg'
import { expect } from 'vitest'
import { until } from '../../dev/wait.ts'
import type { Mayfly, PartName } from './mayfly.ts'

/** The SDK's core has dropped a workflow task that came while it held one of the same run: the server gives it out again, and nothing of ours can prevent it. */
const raceOfTheSdk = /Trying to send a new WFT for a run which already has one!/

/** No place taken, no message unsent, no group braked, and nothing in the workers' logs that hints at a defect. */
export async function expectNothingLeft(mayfly: Mayfly, workers: PartName[] = ['worker']): Promise<void> {
  const database = new pg.Client(mayfly.databaseUrl)
  await database.connect()
  try {
    const counts = async () => {
      const { rows } = await database.query<{ attempts: number; unsent: number; brakes: number }>(`SELECT
        (SELECT count(*)::int FROM attempts WHERE released_at IS NULL) AS attempts,
        (SELECT count(*)::int FROM outbox) AS unsent,
        (SELECT count(*)::int FROM group_brakes) AS brakes`)
      return rows[0]
    }
    const none = { attempts: 0, unsent: 0, brakes: 0 }
    // A place is given back when the pod is gone, which is after the job's end.
    await until({ what: 'places, messages and brakes to be none', seconds: 180, everyMs: 200 }, async () =>
      Object.values((await counts()) ?? none).every((count) => count === 0),
    ).catch(() => {})
    expect(await counts()).toEqual(none)
  } finally {
    await database.end()
  }
  const complaints = workers
    .flatMap((worker) => mayfly.logs(worker).split('\n'))
    .filter((line) => /"level":(50|60),|UnhandledPromise|^Error|^\s+at /.test(line))
    .filter((line) => !raceOfTheSdk.test(line))
  expect(complaints).toEqual([])
}
