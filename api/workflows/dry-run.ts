import { asc, eq } from 'drizzle-orm'
import { type FinalStatus, finalStatuses } from '../../model/job.ts'
import { dryRun } from '../../model/workflow/dry-run.ts'
import {
  workflowJobTemplateEdges,
  workflowJobTemplateNodes,
  type workflowJobTemplates,
} from '../../store/schema/workflows.ts'
import { anyOf } from '../../store/workflow/run-graph.ts'
import { ValidationError } from '../errors.ts'
import type { Action, ActionInput, ActionResult } from '../resource.ts'

type TemplateRow = typeof workflowJobTemplates.$inferSelect

const choices = finalStatuses.map((status) => [status, status] as const)

/**
 * `/workflow_job_templates/N/dry_run/`: which nodes would run if they ended as `outcomes` says (identifier → status) and all others as
 * `otherwise` (successful). Nothing is launched.
 */
export const dryRunAction: Action<TemplateRow> = {
  POST: showDryRun,
  permission: { POST: 'read' },
  link: false,
  fields: {
    POST: {
      outcomes: { type: 'json', required: false, label: 'Outcomes', filterable: false },
      otherwise: {
        type: 'choice',
        required: false,
        label: 'Otherwise',
        filterable: false,
        default: 'successful',
        choices,
      },
    },
  },
}

async function showDryRun({ object, body, context: { db } }: ActionInput<TemplateRow>): Promise<ActionResult> {
  const node = workflowJobTemplateNodes
  const nodes = await db
    .select({
      id: node.id,
      identifier: node.identifier,
      allParentsMustConverge: node.allParentsMustConverge,
      templateId: node.unifiedJobTemplateId,
    })
    .from(node)
    .where(eq(node.workflowJobTemplateId, object.id))
    .orderBy(asc(node.id))
  const { parentId, childId, kind } = workflowJobTemplateEdges
  const edges = await db
    .select({ parentId, childId, kind })
    .from(workflowJobTemplateEdges)
    .where(
      anyOf(
        childId,
        nodes.map(({ id }) => id),
      ),
    )
  const names = new Map(nodes.map(({ id, identifier }) => [id, identifier]))
  const graph = nodes.map(({ templateId, ...rest }) => ({ ...rest, hasTemplate: templateId !== null }))
  const { runs, doNotRun, withoutTemplate, result } = dryRun(
    graph,
    edges,
    readOutcomes(body.outcomes, names),
    readOtherwise(body.otherwise),
  )
  const named = (id: number) => ({ id, identifier: names.get(id) })
  return {
    status: 200,
    body: {
      result,
      runs: runs.map(({ id, outcome }) => ({ ...named(id), outcome })),
      do_not_run: doNotRun.map(named),
      without_template: withoutTemplate.map(named),
    },
  }
}

function readOtherwise(given: unknown): FinalStatus {
  if (given === undefined || given === null || given === '') return 'successful'
  return readStatus(given, 'otherwise')
}

function readOutcomes(given: unknown, names: ReadonlyMap<number, string>): Map<number, FinalStatus> {
  if (given === undefined || given === null) return new Map()
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw ValidationError.on('outcomes', 'Expected a mapping of identifiers of nodes to statuses.')
  }
  const ids = new Map([...names].map(([id, identifier]) => [identifier, id]))
  return new Map(
    Object.entries(given).map(([identifier, status]) => {
      const id = ids.get(identifier)
      if (id === undefined) throw ValidationError.on('outcomes', `No node has the identifier "${identifier}".`)
      return [id, readStatus(status, 'outcomes')]
    }),
  )
}

function readStatus(given: unknown, field: string): FinalStatus {
  const found = finalStatuses.find((status) => status === given)
  if (!found)
    throw ValidationError.on(field, `"${given}" is not a valid choice. Use one of ${finalStatuses.join(', ')}.`)
  return found
}
