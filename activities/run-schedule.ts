import { runSchedule } from '../store/schedules/run.ts'
import type { ActivityDeps } from './deps.ts'
import type { JobActivities } from './types.ts'

/** Launches the template of a schedule for one instant, once. */
export function createRunScheduleActivity({ store, keyring, log }: ActivityDeps): JobActivities['runSchedule'] {
  return async ({ scheduleId, instant }) => {
    const at = Math.floor(Date.parse(instant) / 1000)
    const run = await store.db.transaction((tx) =>
      runSchedule(tx, keyring, { scheduleId, instant: at, now: Date.now() / 1000 }),
    )
    const level = run.state === 'missed' || run.state === 'failed' ? 'warn' : 'info'
    log[level]({ schedule: scheduleId, instant, ...run }, 'a run of a schedule was due')
    return run
  }
}
