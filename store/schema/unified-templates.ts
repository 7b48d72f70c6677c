import { sql } from 'drizzle-orm'
import { boolean, integer, pgView, text, timestamp } from 'drizzle-orm/pg-core'
import { jobTemplates, projects } from './templates.ts'
import { inventorySources, systemJobTemplates } from './updates.ts'
import { workflowApprovalTemplates, workflowJobTemplates } from './workflows.ts'

const common = sql.raw(
  'id, name, description, status, last_job_id, current_job_id, last_job_failed, last_job_run, next_job_run, next_schedule_id, created, modified',
)

/** Everything that jobs are made from, in one place, with what all kinds have; ids are unique over all of them. Read store/unified-templates.ts. */
export const unifiedJobTemplatesView = pgView('unified_job_templates', {
  id: integer().notNull(),
  type: text().notNull(),
  name: text().notNull(),
  description: text().notNull(),
  status: text().notNull(),
  lastJobId: integer(),
  currentJobId: integer(),
  lastJobFailed: boolean().notNull(),
  lastJobRun: timestamp({ withTimezone: true, precision: 6, mode: 'string' }),
  nextJobRun: timestamp({ withTimezone: true, precision: 6, mode: 'string' }),
  nextScheduleId: integer(),
  created: timestamp({ withTimezone: true, precision: 6, mode: 'string' }).notNull(),
  modified: timestamp({ withTimezone: true, precision: 6, mode: 'string' }).notNull(),
  playbook: text().notNull(),
  organizationId: integer(),
  createdById: integer(),
  modifiedById: integer(),
}).as(sql`
  SELECT ${common}, 'job_template' AS type, playbook, organization_id, created_by_id, modified_by_id FROM ${jobTemplates}
  UNION ALL SELECT ${common}, 'project', '', organization_id, created_by_id, modified_by_id FROM ${projects}
  UNION ALL SELECT ${common}, 'inventory_source', '', NULL, created_by_id, modified_by_id FROM ${inventorySources}
  UNION ALL SELECT ${common}, 'system_job_template', '', NULL, NULL, NULL FROM ${systemJobTemplates}
  UNION ALL SELECT ${common}, 'workflow_job_template', '', organization_id, created_by_id, modified_by_id FROM ${workflowJobTemplates}
  UNION ALL SELECT ${common}, 'workflow_approval_template', '', NULL, created_by_id, modified_by_id FROM ${workflowApprovalTemplates}`)
