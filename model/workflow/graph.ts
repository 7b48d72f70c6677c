import { type FinalStatus, isFinal, type JobStatus } from '../job.ts'

/** Kind of an edge: after which end of the parent the child's turn comes. */
export type EdgeKind = 'success' | 'failure' | 'always'

/** A node of a workflow job as far as scheduling looks at it. */
export interface GraphNode {
  id: number
  /** ALL convergence: every parent that ended must lead to it. Else ANY. */
  allParentsMustConverge: boolean
  /** False when the template was deleted, which counts as a failure. */
  hasTemplate: boolean
  doNotRun: boolean
  /** An operator said that it counts as successful, whatever its job did. */
  skipped: boolean
  /** Of its job; null while it has none. */
  status: JobStatus | null
}

/** An edge between two nodes. */
export interface GraphEdge {
  parentId: number
  childId: number
  kind: EdgeKind
}

/** What one pass over a graph found. */
export interface Pass {
  /** Nodes that now are certain never to run, in topological order. */
  doNotRun: number[]
  /** Nodes whose turn has come, in topological order. */
  runnable: number[]
  /** Every node has ended or will never run. */
  done: boolean
  /** How the workflow ends, or would end if nothing more happened. */
  result: 'successful' | 'failed'
}

/** What a node is to its children. `missing`: no template and no job, which counts as failed. */
type State = FinalStatus | 'missing' | 'never' | 'waiting'

/** A node with what is known of it in this pass. */
interface Visited {
  node: GraphNode
  parents: { visited: Visited; kind: EdgeKind }[]
  children: { visited: Visited; kind: EdgeKind }[]
  state: State
  /** Whether matching edges of ended nodes lead to it from a root. */
  reached: boolean
}

/** Lets a caller end a runnable node within the pass: what it returns is how the node ended; null leaves it runnable. */
export type OutcomeOf = (nodeId: number) => FinalStatus | null

/**
 * AWX's rules of scheduling (24.6.1, dag_workflow.py), in one pass in time linear in nodes and edges: which nodes will never run, which are
 * to run now, whether all is done and with which result. Other than there, a node to which no matching edge leads any more never runs also
 * with ALL convergence below a parent in error, where AWX waits for ever.
 */
export function pass(
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
  outcomeOf: OutcomeOf = () => null,
): Pass {
  const graph = build(nodes, edges)
  const found: Pass = { doNotRun: [], runnable: [], done: true, result: 'successful' }
  const order = topological(graph)
  for (const visited of order) visit(visited, found, outcomeOf)
  // Nodes of a cycle can never have their turn; such a graph is refused when it is made.
  if (order.length < graph.length) {
    const ordered = new Set(order)
    for (const visited of graph) if (!ordered.has(visited)) never(visited, found)
  }
  for (const visited of graph) {
    if (visited.state === 'waiting') found.done = false
    if (endedBadly(visited.state) && !visited.children.some(({ kind }) => kind !== 'success')) found.result = 'failed'
  }
  return found
}

function visit(visited: Visited, found: Pass, outcomeOf: OutcomeOf): void {
  const { node, parents } = visited
  visited.reached = parents.length === 0 || parents.some((parent) => parent.visited.reached && leads(parent))
  if (!node.doNotRun && !node.skipped && node.status === null) {
    if (willNeverRun(visited)) never(visited, found)
    else if (node.hasTemplate && visited.reached && parents.every(isDecided)) {
      const outcome = outcomeOf(node.id)
      if (outcome === null) found.runnable.push(node.id)
      else visited.state = outcome
    }
  }
}

function never(visited: Visited, found: Pass): void {
  const { node } = visited
  if (node.doNotRun || node.skipped || node.status !== null) return
  visited.state = 'never'
  found.doNotRun.push(node.id)
}

/** Never asked of a root: nothing before it can keep it from running. */
function willNeverRun({ node, parents }: Visited): boolean {
  if (parents.length === 0) return false
  if (node.allParentsMustConverge && parents.some((parent) => parent.visited.state === 'never' || contradicts(parent)))
    return true
  return parents.every(isDecided) && !parents.some(leads)
}

interface Parent {
  visited: Visited
  kind: EdgeKind
}

const isDecided = ({ visited }: Parent) => visited.state !== 'waiting'

/** Whether the parent's end matches its edge. */
function leads({ visited: { state }, kind }: Parent): boolean {
  if (state === 'successful') return kind !== 'failure'
  return endedBadly(state) && kind !== 'success'
}

/** With ALL convergence, an end that does not match its edge; parents in error or cancelled are not looked at, as in AWX. */
function contradicts(parent: Parent): boolean {
  const { state } = parent.visited
  return (state === 'successful' || state === 'failed') && !leads(parent)
}

function endedBadly(state: State): boolean {
  return state === 'failed' || state === 'error' || state === 'canceled' || state === 'missing'
}

function stateOf(node: GraphNode): State {
  if (node.skipped) return 'successful'
  if (node.status !== null) return isFinal(node.status) ? node.status : 'waiting'
  if (node.doNotRun) return 'never'
  return node.hasTemplate ? 'waiting' : 'missing'
}

function build(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): Visited[] {
  const graph = new Map<number, Visited>()
  for (const node of nodes) {
    graph.set(node.id, { node, parents: [], children: [], state: stateOf(node), reached: false })
  }
  for (const { parentId, childId, kind } of edges) {
    const parent = graph.get(parentId)
    const child = graph.get(childId)
    if (!parent || !child) continue
    parent.children.push({ visited: child, kind })
    child.parents.push({ visited: parent, kind })
  }
  return [...graph.values()]
}

/** Parents before children (Kahn); nodes of cycles, and those below them, are left out. */
function topological(graph: readonly Visited[]): Visited[] {
  const open = new Map(graph.map((visited) => [visited, visited.parents.length]))
  const order = graph.filter((visited) => visited.parents.length === 0)
  for (const visited of order) {
    for (const { visited: child } of visited.children) {
      const left = (open.get(child) ?? 0) - 1
      open.set(child, left)
      if (left === 0) order.push(child)
    }
  }
  return order
}

/** Whether an edge from `parentId` to `childId` would close a cycle (a node that is its own parent included). */
export function wouldCycle(
  edges: readonly Pick<GraphEdge, 'parentId' | 'childId'>[],
  parentId: number,
  childId: number,
): boolean {
  return descendants(edges, [childId]).has(parentId)
}

/** The nodes of `from` and everything below them. */
export function descendants(
  edges: readonly Pick<GraphEdge, 'parentId' | 'childId'>[],
  from: readonly number[],
): Set<number> {
  const children = new Map<number, number[]>()
  for (const { parentId, childId } of edges) {
    const known = children.get(parentId)
    if (known) known.push(childId)
    else children.set(parentId, [childId])
  }
  const found = new Set(from)
  for (const id of found) for (const child of children.get(id) ?? []) found.add(child)
  return found
}
