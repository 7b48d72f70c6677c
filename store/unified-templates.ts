import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { authors, stamps } from './schema/identity.ts'
import { parentStatus } from './schema/templates.ts'
import type { NodeTemplateType } from './schema/workflows.ts'

/**
 * The view of store/schema/unified-templates.ts as a table, so that filters and joins treat it like any other. Only for reading. It is not among the
 * schema, because there is no such table to make.
 */
export const unifiedJobTemplates = pgTable('unified_job_templates', {
  id: integer().primaryKey(),
  type: text().$type<NodeTemplateType>().notNull(),
  name: text().notNull(),
  description: text().notNull(),
  playbook: text().notNull(),
  organizationId: integer(),
  ...parentStatus(),
  ...authors(),
  ...stamps(),
})
