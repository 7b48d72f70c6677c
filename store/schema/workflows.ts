import { boolean, index, integer, json, pgTable, primaryKey, text, unique } from 'drizzle-orm/pg-core'
import { credentials, orderedGroups, organizations } from './catalog.ts'
import { authors, instant, stamps } from './identity.ts'
import { inventories } from './inventory.ts'
import { promptColumns } from './prompts.ts'
import { parentStatus, unifiedTemplateId } from './templates.ts'

const ask = () => boolean().notNull().default(false)

/** Kind of what a node runs, as the `type` of a unified job template on the wire. */
export type NodeTemplateType =
  | 'job_template'
  | 'project'
  | 'inventory_source'
  | 'workflow_job_template'
  | 'system_job_template'
  | 'workflow_approval_template'

/** Kind of an edge between two nodes: when the child's turn comes. */
export type EdgeKind = 'success' | 'failure' | 'always'

/** A graph of templates that is launched as a whole. */
export const workflowJobTemplates = pgTable(
  'workflow_job_templates',
  {
    id: unifiedTemplateId(),
    name: text().notNull(),
    description: text().notNull().default(''),
    organizationId: integer().references(() => organizations.id, { onDelete: 'set null' }),
    extraVars: text().notNull().default(''),
    surveyEnabled: boolean().notNull().default(false),
    surveySpec: json().$type<Record<string, unknown>>().notNull().default({}),
    allowSimultaneous: boolean().notNull().default(false),
    inventoryId: integer().references(() => inventories.id, { onDelete: 'set null' }),
    /** Null: the workflow says nothing of it. */
    limit: text(),
    scmBranch: text(),
    jobTags: text(),
    skipTags: text(),
    askVariablesOnLaunch: ask(),
    askInventoryOnLaunch: ask(),
    askScmBranchOnLaunch: ask(),
    askLimitOnLaunch: ask(),
    askLabelsOnLaunch: ask(),
    askSkipTagsOnLaunch: ask(),
    askTagsOnLaunch: ask(),
    /** Of all its jobs (model/priority.ts); null: each has that of its own template. */
    priority: integer(),
    askPriorityOnLaunch: ask(),
    webhookService: text().notNull().default(''),
    webhookCredentialId: integer().references(() => credentials.id, { onDelete: 'set null' }),
    /** Sealed by store/secrets.ts. */
    webhookKey: text().notNull().default(''),
    ...parentStatus(),
    ...authors(),
    ...stamps(),
  },
  (table) => [index().on(table.organizationId, table.name)],
)

/** What a node of kind approval asks for. Each belongs to one node. */
export const workflowApprovalTemplates = pgTable('workflow_approval_templates', {
  id: unifiedTemplateId(),
  name: text().notNull(),
  description: text().notNull().default(''),
  /** Seconds until it counts as denied; 0: never. */
  timeout: integer().notNull().default(0),
  ...parentStatus(),
  ...authors(),
  ...stamps(),
})

/** Nodes of a workflow job template. */
export const workflowJobTemplateNodes = pgTable(
  'workflow_job_template_nodes',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    workflowJobTemplateId: integer()
      .notNull()
      .references(() => workflowJobTemplates.id, { onDelete: 'cascade' }),
    /** Id in the id space that all templates share; null when it was deleted. No foreign key: see `templateType`. */
    unifiedJobTemplateId: integer(),
    templateType: text().$type<NodeTemplateType>(),
    identifier: text().notNull(),
    allParentsMustConverge: boolean().notNull().default(false),
    ...promptColumns(),
    ...stamps(),
  },
  (table) => [unique().on(table.workflowJobTemplateId, table.identifier), index().on(table.unifiedJobTemplateId)],
)

const templateNode = () =>
  integer()
    .notNull()
    .references(() => workflowJobTemplateNodes.id, { onDelete: 'cascade' })

/** Edges of a workflow job template; two nodes have one edge at most. */
export const workflowJobTemplateEdges = pgTable(
  'workflow_job_template_edges',
  { parentId: templateNode(), childId: templateNode(), kind: text().$type<EdgeKind>().notNull() },
  (table) => [primaryKey({ columns: [table.parentId, table.childId] }), index().on(table.childId)],
)

/** Credentials that a node gives to its job. */
export const workflowJobTemplateNodeCredentials = pgTable(
  'workflow_job_template_node_credentials',
  {
    nodeId: templateNode(),
    credentialId: integer()
      .notNull()
      .references(() => credentials.id, { onDelete: 'cascade' }),
  },
  (table) => [primaryKey({ columns: [table.nodeId, table.credentialId] }), index().on(table.credentialId)],
)

/** Instance groups that a node gives to its job, preferred first. */
export const workflowJobTemplateNodeInstanceGroups = pgTable(
  'workflow_job_template_node_instance_groups',
  { nodeId: templateNode(), ...orderedGroups() },
  (table) => [primaryKey({ columns: [table.nodeId, table.instanceGroupId] })],
)

/** Deliveries of web hooks that were answered with a launch: the same one again launches nothing. */
export const webhookDeliveries = pgTable(
  'webhook_deliveries',
  { templateId: integer().notNull(), guid: text().notNull(), created: instant().notNull().defaultNow() },
  (table) => [primaryKey({ columns: [table.templateId, table.guid] }), index().on(table.created)],
)
