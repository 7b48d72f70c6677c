import { and, eq, inArray, ne, sql } from 'drizzle-orm'
import { workflowJobEdges } from '../../store/schema/workflow-jobs.ts'
import {
  type EdgeKind,
  workflowJobTemplateEdges,
  type workflowJobTemplateNodes,
  workflowJobTemplates,
} from '../../store/schema/workflows.ts'
import type { RequestContext, Row } from '../context.ts'
import { ApiError, PermissionDeniedError } from '../errors.ts'
import type { ComputedField, Field } from '../field.ts'
import type { Relation, SubList } from '../resource.ts'

/** Kinds of edges by the name of the list of nodes they lead to. */
export const edgeLists = {
  success_nodes: 'success',
  failure_nodes: 'failure',
  always_nodes: 'always',
} as const satisfies Record<string, EdgeKind>

type EdgeTable = typeof workflowJobTemplateEdges | typeof workflowJobEdges

/** `success_nodes`, `failure_nodes` and `always_nodes`: the ids that edges of a kind lead to. */
export function edgeFields(table: EdgeTable): Record<string, Field> {
  return Object.fromEntries(
    Object.entries(edgeLists).map(([name, kind]) => [name, childrenField(table, kind)] as const),
  )
}

function childrenField(table: EdgeTable, kind: EdgeKind): ComputedField {
  return {
    kind: 'computed',
    type: 'field',
    filterable: false,
    async values(rows, context) {
      const children = await childrenOf(
        table,
        rows.map((row) => row.id),
        context,
      )
      return rows.map((row) => children.get(row.id)?.[kind] ?? [])
    },
  }
}

type Children = Map<number, Partial<Record<EdgeKind, number[]>>>

/** Edges of a page of nodes, read once for their three lists. */
async function childrenOf(table: EdgeTable, ids: readonly number[], context: RequestContext): Promise<Children> {
  const key = `edges ${table === workflowJobEdges ? 'of jobs' : 'of templates'} ${ids.join()}`
  const known = context.cache.get(key) as Children | undefined
  if (known) return known
  const children: Children = new Map()
  const edges =
    ids.length === 0
      ? []
      : await context.db
          .select()
          .from(table)
          .where(inArray(table.parentId, [...ids]))
          .orderBy(table.childId)
  for (const { parentId, childId, kind } of edges) {
    const lists = children.get(parentId) ?? {}
    lists[kind] = [...(lists[kind] ?? []), childId]
    children.set(parentId, lists)
  }
  context.cache.set(key, children)
  return children
}

/** Ways along the edges of either kind of nodes: down by the names of the lists, for filters and sub-lists. */
export function edgeRelations(table: EdgeTable, to: string): Record<string, Relation> {
  return Object.fromEntries(
    Object.entries(edgeLists).map(([name, kind]): [string, Relation] => [
      name,
      { kind: 'through', to, table, parent: 'parentId', child: 'childId', fixed: { kind } },
    ]),
  )
}

/** `…/success_nodes/` and the like of a node of a template: links, unlinks, and makes nodes that are linked at once. */
export function edgeSubList(list: keyof typeof edgeLists, title: string): SubList<NodeRow> {
  return {
    relation: list,
    attach: true,
    create: true,
    title,
    fill: (parent) => ({ workflow_job_template: parent.workflowJobTemplateId }),
    async check(parent, child, attaching, context) {
      if (attaching) await checkEdge(parent, child as NodeRow, edgeLists[list], context)
    },
  }
}

type NodeRow = Row & typeof workflowJobTemplateNodes.$inferSelect

/** Refuses edges between workflows, a second kind of edge between two nodes, and cycles; the texts are AWX's. */
async function checkEdge(parent: NodeRow, child: NodeRow, kind: EdgeKind, context: RequestContext): Promise<void> {
  const { db } = context
  if (child.workflowJobTemplateId !== parent.workflowJobTemplateId) throw new PermissionDeniedError()
  if (child.id === parent.id) throw cycle()
  // Two edges made at once could close a cycle that neither sees.
  await db
    .select({ id: workflowJobTemplates.id })
    .from(workflowJobTemplates)
    .where(eq(workflowJobTemplates.id, parent.workflowJobTemplateId))
    .for('no key update')
  const edge = workflowJobTemplateEdges
  const other = await db
    .select({ kind: edge.kind })
    .from(edge)
    .where(and(eq(edge.parentId, parent.id), eq(edge.childId, child.id), ne(edge.kind, kind)))
  if (other.length > 0) throw new ApiError(400, { Error: 'Relationship not allowed.' })
  const { rows } = await db.execute(sql`
    WITH RECURSIVE below(id) AS (
      SELECT ${child.id}::integer
      UNION SELECT edge.child_id FROM ${edge} AS edge JOIN below ON edge.parent_id = below.id)
    SELECT 1 FROM below WHERE id = ${parent.id} LIMIT 1`)
  if (rows.length > 0) throw cycle()
}

const cycle = () => new ApiError(400, { Error: 'Cycle detected.' })
