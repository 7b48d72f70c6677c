import { eq } from 'drizzle-orm'
import type { ScheduleRow } from '../../store/schedules/runs.ts'
import { scheduleCredentials } from '../../store/schema/schedules.ts'
import type { RequestContext, Row } from '../context.ts'
import { checkSavedCredential, targetOf } from '../templates/saved-prompts.ts'

/** What a schedule may give its jobs. */
export async function checkScheduleCredential(
  schedule: ScheduleRow,
  credential: Row,
  attaching: boolean,
  context: RequestContext,
): Promise<void> {
  if (!attaching) return
  const attached = await context.db
    .select({ id: scheduleCredentials.credentialId })
    .from(scheduleCredentials)
    .where(eq(scheduleCredentials.scheduleId, schedule.id))
  const ids = attached.map(({ id }) => id)
  await checkSavedCredential(await targetOf(schedule.unifiedJobTemplateId, context), credential, ids, context)
}
