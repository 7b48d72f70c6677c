import { eq, sql } from 'drizzle-orm'
import type { TemplateRow } from '../../store/launch/sources.ts'
import { jobTemplateLabels } from '../../store/schema/labels.ts'
import { jobTemplateCredentials, jobTemplateInstanceGroups, jobTemplates } from '../../store/schema/templates.ts'
import type { RequestContext } from '../context.ts'
import { freshWebhookKey } from '../webhooks/key.ts'
import { resealSurvey } from './survey.ts'

/** Gives a copied template what is no field: organization, survey, credentials and instance groups. */
export async function copyTemplateParts(
  source: TemplateRow,
  copy: TemplateRow,
  context: RequestContext,
): Promise<void> {
  const { db, deps } = context
  await db
    .update(jobTemplates)
    .set({
      organizationId: source.organizationId,
      surveySpec: resealSurvey(deps.keyring, source, copy.id),
      webhookKey: freshWebhookKey(deps.keyring, copy),
    })
    .where(eq(jobTemplates.id, copy.id))
  await db.execute(sql`
    INSERT INTO ${jobTemplateCredentials} (job_template_id, credential_id)
    SELECT ${copy.id}, credential_id FROM ${jobTemplateCredentials} WHERE job_template_id = ${source.id}`)
  await db.execute(sql`
    INSERT INTO ${jobTemplateLabels} (job_template_id, label_id)
    SELECT ${copy.id}::integer, label_id FROM ${jobTemplateLabels} WHERE job_template_id = ${source.id}`)
  await db.execute(sql`
    INSERT INTO ${jobTemplateInstanceGroups} (job_template_id, instance_group_id, position)
    SELECT ${copy.id}, instance_group_id, position FROM ${jobTemplateInstanceGroups} WHERE job_template_id = ${source.id}`)
}
