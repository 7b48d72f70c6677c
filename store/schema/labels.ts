import { index, integer, pgTable, primaryKey, text, unique } from 'drizzle-orm/pg-core'
import { organizations } from './catalog.ts'
import { authors, stamps } from './identity.ts'
import { inventories } from './inventory.ts'
import { unifiedJobs } from './jobs.ts'
import { schedules } from './schedules.ts'
import { jobTemplates } from './templates.ts'
import { workflowJobNodes } from './workflow-jobs.ts'
import { workflowJobTemplateNodes, workflowJobTemplates } from './workflows.ts'

/** Words by which templates and jobs are grouped and found. One that nothing carries any more is deleted. */
export const labels = pgTable(
  'labels',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull(),
    /** AWX has it, shows it nowhere and searches in it. */
    description: text().notNull().default(''),
    organizationId: integer()
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    ...authors(),
    ...stamps(),
  },
  (table) => [unique().on(table.organizationId, table.name)],
)

/** The label of a pair. */
export const labelReference = () =>
  integer()
    .notNull()
    .references(() => labels.id, { onDelete: 'cascade' })

/** Labels of job templates. */
export const jobTemplateLabels = pgTable(
  'job_template_labels',
  {
    jobTemplateId: integer()
      .notNull()
      .references(() => jobTemplates.id, { onDelete: 'cascade' }),
    labelId: labelReference(),
  },
  (table) => [primaryKey({ columns: [table.jobTemplateId, table.labelId] }), index().on(table.labelId)],
)

/** Labels of workflow job templates. */
export const workflowJobTemplateLabels = pgTable(
  'workflow_job_template_labels',
  {
    workflowJobTemplateId: integer()
      .notNull()
      .references(() => workflowJobTemplates.id, { onDelete: 'cascade' }),
    labelId: labelReference(),
  },
  (table) => [primaryKey({ columns: [table.workflowJobTemplateId, table.labelId] }), index().on(table.labelId)],
)

/** Labels of inventories. */
export const inventoryLabels = pgTable(
  'inventory_labels',
  {
    inventoryId: integer()
      .notNull()
      .references(() => inventories.id, { onDelete: 'cascade' }),
    labelId: labelReference(),
  },
  (table) => [primaryKey({ columns: [table.inventoryId, table.labelId] }), index().on(table.labelId)],
)

/** Labels of jobs of any kind. */
export const unifiedJobLabels = pgTable(
  'unified_job_labels',
  {
    jobId: integer()
      .notNull()
      .references(() => unifiedJobs.id, { onDelete: 'cascade' }),
    labelId: labelReference(),
  },
  (table) => [primaryKey({ columns: [table.jobId, table.labelId] }), index().on(table.labelId)],
)

/** Labels that a node of a workflow job template gives to its job. */
export const workflowJobTemplateNodeLabels = pgTable(
  'workflow_job_template_node_labels',
  {
    nodeId: integer()
      .notNull()
      .references(() => workflowJobTemplateNodes.id, { onDelete: 'cascade' }),
    labelId: labelReference(),
  },
  (table) => [primaryKey({ columns: [table.nodeId, table.labelId] }), index().on(table.labelId)],
)

/** Labels that a node of a workflow job gives to its job. */
export const workflowJobNodeLabels = pgTable(
  'workflow_job_node_labels',
  {
    nodeId: integer()
      .notNull()
      .references(() => workflowJobNodes.id, { onDelete: 'cascade' }),
    labelId: labelReference(),
  },
  (table) => [primaryKey({ columns: [table.nodeId, table.labelId] }), index().on(table.labelId)],
)

/** Labels that a schedule gives to its jobs. */
export const scheduleLabels = pgTable(
  'schedule_labels',
  {
    scheduleId: integer()
      .notNull()
      .references(() => schedules.id, { onDelete: 'cascade' }),
    labelId: labelReference(),
  },
  (table) => [primaryKey({ columns: [table.scheduleId, table.labelId] }), index().on(table.labelId)],
)
