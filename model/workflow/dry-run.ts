import type { FinalStatus } from '../job.ts'
import { type GraphEdge, type GraphNode, pass } from './graph.ts'

/** What a run of a graph would do if its nodes ended in a given way. */
export interface DryRun {
  /** Nodes that would run, in an order in which they could, each with how it was said to end. */
  runs: { id: number; outcome: FinalStatus }[]
  /** Nodes that would not. */
  doNotRun: number[]
  /** Nodes whose template was deleted: each counts as a failure. */
  withoutTemplate: number[]
  result: 'successful' | 'failed'
}

/** Tells which nodes would run. Nodes that `outcomes` does not name end as `otherwise`. */
export function dryRun(
  nodes: readonly Pick<GraphNode, 'id' | 'allParentsMustConverge' | 'hasTemplate'>[],
  edges: readonly GraphEdge[],
  outcomes: ReadonlyMap<number, FinalStatus>,
  otherwise: FinalStatus = 'successful',
): DryRun {
  const runs: DryRun['runs'] = []
  const fresh = nodes.map((node) => ({ ...node, doNotRun: false, skipped: false, status: null }))
  const { doNotRun, result } = pass(fresh, edges, (id) => {
    const outcome = outcomes.get(id) ?? otherwise
    runs.push({ id, outcome })
    return outcome
  })
  const never = new Set(doNotRun)
  const withoutTemplate = nodes.filter(({ id, hasTemplate }) => !hasTemplate && !never.has(id)).map(({ id }) => id)
  return { runs, doNotRun, withoutTemplate, result }
}
