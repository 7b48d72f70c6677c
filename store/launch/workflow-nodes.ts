import { type SQL, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { Database } from '../database.ts'
import { workflowJobNodeLabels, workflowJobTemplateNodeLabels } from '../schema/labels.ts'
import { promptColumns } from '../schema/prompts.ts'
import {
  workflowJobEdges,
  workflowJobNodeCredentials,
  workflowJobNodeInstanceGroups,
  workflowJobNodes,
} from '../schema/workflow-jobs.ts'
import {
  workflowJobTemplateEdges,
  workflowJobTemplateNodeCredentials,
  workflowJobTemplateNodeInstanceGroups,
  workflowJobTemplateNodes,
} from '../schema/workflows.ts'
import { sqlName } from '../sql-columns.ts'

/** Whose nodes: a workflow job template's or a workflow job's. */
export type NodeOwner = { template: number } | { job: number }

interface Side {
  id: number
  nodes: PgTable
  owner: SQL
  edges: PgTable
  credentials: PgTable
  labels: PgTable
  groups: PgTable
}

const templateTables = {
  nodes: workflowJobTemplateNodes,
  owner: sql.raw('workflow_job_template_id'),
  edges: workflowJobTemplateEdges,
  credentials: workflowJobTemplateNodeCredentials,
  labels: workflowJobTemplateNodeLabels,
  groups: workflowJobTemplateNodeInstanceGroups,
}

const jobTables = {
  nodes: workflowJobNodes,
  owner: sql.raw('workflow_job_id'),
  edges: workflowJobEdges,
  credentials: workflowJobNodeCredentials,
  labels: workflowJobNodeLabels,
  groups: workflowJobNodeInstanceGroups,
}

const sideOf = (owner: NodeOwner): Side =>
  'template' in owner ? { id: owner.template, ...templateTables } : { id: owner.job, ...jobTables }

/** What every node has, wherever it lives; names in SQL. */
const copied = sql.raw(
  ['unifiedJobTemplateId', 'templateType', 'identifier', 'allParentsMustConverge', ...Object.keys(promptColumns())]
    .map((key) => `"${sqlName(key)}"`)
    .join(', '),
)

/**
 * Copies all nodes with edges, credentials, labels and instance groups, by a few statements however many there are. Nodes find their copies by
 * identifier, which is unique among an owner's nodes. Returns the copies' ids by those of their originals.
 */
export async function copyNodes(tx: Database, from: NodeOwner, to: NodeOwner): Promise<Map<number, number>> {
  const [source, target] = [sideOf(from), sideOf(to)]
  const originals = await tx.execute<Named>(sql`
    SELECT id, identifier FROM ${source.nodes} WHERE ${source.owner} = ${source.id}`)
  // Slices are of jobs only.
  const columns = 'job' in from && 'job' in to ? sql`${copied}, job_slice` : copied
  const copies = await tx.execute<Named>(sql`
    INSERT INTO ${target.nodes} (${target.owner}, ${columns})
    SELECT ${target.id}::integer, ${columns} FROM ${source.nodes} WHERE ${source.owner} = ${source.id} ORDER BY id
    RETURNING id, identifier`)
  const byIdentifier = new Map(copies.rows.map(({ id, identifier }) => [identifier, id]))
  const copyOf = new Map(originals.rows.map(({ id, identifier }) => [id, byIdentifier.get(identifier) ?? id]))
  if (copyOf.size === 0) return copyOf
  await copyPairs(tx, source, source.edges, target.edges, ['parent_id', 'child_id'], 'kind', copyOf)
  await copyPairs(tx, source, source.credentials, target.credentials, ['node_id'], 'credential_id', copyOf)
  await copyPairs(tx, source, source.labels, target.labels, ['node_id'], 'label_id', copyOf)
  await copyPairs(tx, source, source.groups, target.groups, ['node_id'], 'instance_group_id, position', copyOf)
  return copyOf
}

type Named = { id: number; identifier: string }

/**
 * Copies what belongs to nodes. The ids are exchanged here and not by joins: of rows that were just written the database has no statistics, and it plans
 * such joins so badly that 5,000 nodes take a minute.
 */
async function copyPairs(
  tx: Database,
  source: Side,
  from: PgTable,
  to: PgTable,
  nodeColumns: readonly string[],
  rest: string,
  copyOf: Map<number, number>,
): Promise<void> {
  const owned = sql.raw(nodeColumns[0] ?? '')
  const { rows } = await tx.execute<Record<string, unknown>>(sql`
    SELECT ${sql.raw([...nodeColumns, rest].join(', '))} FROM ${from}
    WHERE ${owned} IN (SELECT id FROM ${source.nodes} WHERE ${source.owner} = ${source.id})`)
  if (rows.length === 0) return
  const copies = rows.map((row) => ({
    ...row,
    ...Object.fromEntries(nodeColumns.map((column) => [column, copyOf.get(Number(row[column]))])),
  }))
  const all = sql.raw([...nodeColumns, rest].join(', '))
  await tx.execute(sql`
    INSERT INTO ${to} (${all}) SELECT ${all} FROM json_populate_recordset(NULL::${to}, ${JSON.stringify(copies)}::json)`)
}
