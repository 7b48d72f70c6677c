import { boolean, index, integer, json, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { credentials, orderedGroups } from './catalog.ts'
import { stamps } from './identity.ts'
import { unifiedJobs } from './jobs.ts'
import { promptColumns } from './prompts.ts'
import type { EdgeKind, NodeTemplateType } from './workflows.ts'

/** Nodes of a workflow job, copied from its template at launch; of a sliced job, one a slice. */
export const workflowJobNodes = pgTable(
  'workflow_job_nodes',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    workflowJobId: integer()
      .notNull()
      .references(() => unifiedJobs.id, { onDelete: 'cascade' }),
    unifiedJobTemplateId: integer(),
    templateType: text().$type<NodeTemplateType>(),
    identifier: text().notNull(),
    allParentsMustConverge: boolean().notNull().default(false),
    /** The newest job of the node; null until its turn comes. Jobs of earlier tries are in `earlierJobs`. */
    jobId: integer().references(() => unifiedJobs.id, { onDelete: 'set null' }),
    /** Jobs that a retry replaced, oldest first. */
    earlierJobs: json().$type<number[]>().notNull().default([]),
    doNotRun: boolean().notNull().default(false),
    /** A job of the run that this one continues, which succeeded: when the node's turn comes it is taken for its own instead of a new one. */
    reuseJobId: integer().references(() => unifiedJobs.id, { onDelete: 'set null' }),
    /** An operator said that the run goes on as if it had succeeded. */
    skipped: boolean().notNull().default(false),
    /** `set_stats` data of all nodes before it, as of when its job was made; later parents win. */
    ancestorArtifacts: json().$type<Record<string, unknown>>().notNull().default({}),
    /** Number of the slice, from 1; 0: no slice. */
    jobSlice: integer().notNull().default(0),
    ...promptColumns(),
    ...stamps(),
  },
  (table) => [index().on(table.workflowJobId), index().on(table.jobId), index().on(table.reuseJobId)],
)

const jobNode = () =>
  integer()
    .notNull()
    .references(() => workflowJobNodes.id, { onDelete: 'cascade' })

/** Edges of a workflow job. */
export const workflowJobEdges = pgTable(
  'workflow_job_edges',
  { parentId: jobNode(), childId: jobNode(), kind: text().$type<EdgeKind>().notNull() },
  (table) => [primaryKey({ columns: [table.parentId, table.childId] }), index().on(table.childId)],
)

/** Credentials that a node of a workflow job gives to its job. */
export const workflowJobNodeCredentials = pgTable(
  'workflow_job_node_credentials',
  {
    nodeId: jobNode(),
    credentialId: integer()
      .notNull()
      .references(() => credentials.id, { onDelete: 'cascade' }),
  },
  (table) => [primaryKey({ columns: [table.nodeId, table.credentialId] }), index().on(table.credentialId)],
)

/** Instance groups that a node of a workflow job gives to its job, preferred first. */
export const workflowJobNodeInstanceGroups = pgTable(
  'workflow_job_node_instance_groups',
  { nodeId: jobNode(), ...orderedGroups() },
  (table) => [primaryKey({ columns: [table.nodeId, table.instanceGroupId] })],
)
