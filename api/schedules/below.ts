import { eq } from 'drizzle-orm'
import { schedules } from '../../store/schema/schedules.ts'
import type { Row } from '../context.ts'
import type { Field } from '../field.ts'
import type { SubList } from '../resource.ts'

/** `/job_templates/N/schedules/` and the like: the schedules of a template, and where further ones are made. */
export function scheduleSubList(title: string): SubList<Row> {
  return {
    resource: 'schedules',
    where: (template) => eq(schedules.unifiedJobTemplateId, template.id),
    create: true,
    fill: (template) => ({ unified_job_template: template.id }),
    title,
  }
}

/** `next_job_run` of what has schedules. */
export const nextJobRun: Field = { kind: 'datetime', readOnly: true }
