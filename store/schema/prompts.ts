import { boolean, integer, json, text } from 'drizzle-orm/pg-core'
import { executionEnvironments } from './catalog.ts'
import { inventories } from './inventory.ts'

/**
 * Prompts saved for a later launch, in nodes of workflows and in schedules: null means that the launch says nothing of it. Credentials, labels
 * and instance groups are tables of pairs beside. Answers to password questions rest sealed in `extraData`.
 */
export const promptColumns = () => ({
  extraData: json().$type<Record<string, unknown>>().notNull().default({}),
  inventoryId: integer().references(() => inventories.id, { onDelete: 'set null' }),
  scmBranch: text(),
  jobType: text(),
  jobTags: text(),
  skipTags: text(),
  limit: text(),
  diffMode: boolean(),
  verbosity: integer(),
  executionEnvironmentId: integer().references(() => executionEnvironments.id, { onDelete: 'set null' }),
  forks: integer(),
  jobSliceCount: integer(),
  timeout: integer(),
  priority: integer(),
})
