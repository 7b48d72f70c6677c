import { expect, test } from 'vitest'
import type { FinalStatus, JobStatus } from '../job.ts'
import { descendants, type EdgeKind, type GraphEdge, type GraphNode, pass, wouldCycle } from './graph.ts'

/** A node as the table below writes it: `ok`, `bad` … its job's status; `!` no template; `-` do not run; `+` skipped; `&` ALL convergence. */
interface Written {
  status?: JobStatus
  gone?: boolean
  never?: boolean
  skipped?: boolean
  all?: boolean
}

type Row = [about: string, nodes: Record<number, Written>, edges: string, found: string]

/** Edges are written `1 s 2`: success, f: failure, a: always. What is found: `run` runnable, `never` do not run, then whether it is done. */
const table: Row[] = [
  ['roots run', { 1: {}, 2: {} }, '', 'run 1 2; open successful'],
  ['a success edge follows a success', { 1: ok(), 2: {} }, '1 s 2', 'run 2; open successful'],
  ['a success edge does not follow a failure', { 1: bad(), 2: {} }, '1 s 2', 'never 2; done failed'],
  ['a failure edge follows a failure', { 1: bad(), 2: {} }, '1 f 2', 'run 2; open successful'],
  ['a failure edge follows an error', { 1: { status: 'error' }, 2: {} }, '1 f 2', 'run 2; open successful'],
  ['a failure edge follows a cancel', { 1: { status: 'canceled' }, 2: {} }, '1 f 2', 'run 2; open successful'],
  ['a failure edge does not follow a success', { 1: ok(), 2: {} }, '1 f 2', 'never 2; done successful'],
  ['an always edge follows a failure', { 1: bad(), 2: {} }, '1 a 2', 'run 2; open successful'],
  ['an always edge follows a success', { 1: ok(), 2: {} }, '1 a 2', 'run 2; open successful'],
  ['nobody runs before the parent has ended', { 1: { status: 'running' }, 2: {} }, '1 a 2', '; open successful'],
  [
    'do not run cascades in one pass',
    { 1: ok(), 2: {}, 3: {}, 4: {} },
    '1 f 2, 2 a 3, 3 a 4',
    'never 2 3 4; done successful',
  ],
  ['ANY waits for all parents', { 1: ok(), 2: { status: 'running' }, 3: {} }, '1 s 3, 2 s 3', '; open successful'],
  ['ANY takes one matching edge', { 1: ok(), 2: bad(), 3: {} }, '1 s 3, 2 s 3', 'run 3; open failed'],
  [
    'ANY passes over a parent that never runs',
    { 1: ok(), 2: { never: true }, 3: {} },
    '1 s 3, 2 s 3',
    'run 3; open successful',
  ],
  ['ANY without a match never runs', { 1: bad(), 2: bad(), 3: {} }, '1 s 3, 2 s 3', 'never 3; done failed'],
  ['ALL takes all matching', { 1: ok(), 2: bad(), 3: { all: true } }, '1 s 3, 2 f 3', 'run 3; open successful'],
  [
    'ALL refuses one that does not match',
    { 1: ok(), 2: bad(), 3: { all: true } },
    '1 s 3, 2 s 3',
    'never 3; done failed',
  ],
  [
    'ALL decides before the other parents end',
    { 1: bad(), 2: { status: 'running' }, 3: { all: true } },
    '1 s 3, 2 s 3',
    'never 3; open failed',
  ],
  [
    'ALL never runs below what never runs',
    { 1: ok(), 2: { never: true }, 3: { all: true } },
    '1 s 3, 2 s 3',
    'never 3; done successful',
  ],
  [
    'ALL does not look at a parent in error',
    { 1: ok(), 2: { status: 'error' }, 3: { all: true } },
    '1 s 3, 2 s 3',
    'run 3; open failed',
  ],
  [
    'ALL does not wait for ever below an error',
    { 1: { status: 'error' }, 2: { all: true } },
    '1 s 2',
    'never 2; done failed',
  ],
  ['no template counts as failed', { 1: { gone: true }, 2: {} }, '1 f 2', 'run 2; open successful'],
  ['no template and nobody minds: failed', { 1: { gone: true } }, '', '; done failed'],
  ['no template where nobody comes: no failure', { 1: ok(), 2: { gone: true } }, '1 f 2', 'never 2; done successful'],
  ['a failure with an always child is handled', { 1: bad(), 2: ok() }, '1 a 2', '; done successful'],
  ['a handled failure whose handler failed', { 1: bad(), 2: bad() }, '1 f 2', '; done failed'],
  ['a failure does not stop other branches', { 1: bad(), 2: ok(), 3: {} }, '2 s 3', 'run 3; open failed'],
  [
    'one that is skipped counts as successful',
    { 1: { ...bad(), skipped: true }, 2: {} },
    '1 s 2',
    'run 2; open successful',
  ],
  ['nothing runs twice', { 1: ok(), 2: { status: 'pending' } }, '1 s 2', '; open successful'],
  ['an empty workflow is done', {}, '', '; done successful'],
]

test.each(table)('%s', (_about, nodes, edges, found) => {
  expect(shown(pass(read(nodes), readEdges(edges)))).toBe(found)
})

test('a cycle that got in somehow ends all the same', () => {
  expect(shown(pass(read({ 1: ok(), 2: {}, 3: {} }), readEdges('1 s 2, 2 s 3, 3 s 2')))).toBe(
    'never 2 3; done successful',
  )
})

test('an edge that would close a cycle is found', () => {
  const edges = readEdges('1 s 2, 2 f 3, 1 a 3')
  expect(wouldCycle(edges, 3, 1)).toBe(true)
  expect(wouldCycle(edges, 2, 2)).toBe(true)
  expect(wouldCycle(edges, 1, 3)).toBe(false)
  expect([...descendants(edges, [2])]).toEqual([2, 3])
})

test('a pass goes over 5,000 nodes', () => {
  const nodes = read(Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [index + 1, {}])))
  const edges = Array.from({ length: 4999 }, (_, index): GraphEdge[] => [
    { parentId: index + 1, childId: index + 2, kind: 'success' },
    ...(index > 1 ? [{ parentId: 1, childId: index + 2, kind: 'always' as const }] : []),
  ]).flat()
  const run: number[] = []
  const { done } = pass(nodes, edges, (id) => {
    run.push(id)
    return 'successful'
  })
  expect([done, run.length]).toEqual([true, 5000])
})

/** Runs whole workflows of random shape by the pass and by AWX's own way, written as plainly as can be, and compares every step. */
test('random graphs run as a naive interpreter runs them', () => {
  for (let seed = 1; seed <= 400; seed++) {
    const random = generator(seed)
    const { nodes, edges } = randomGraph(random)
    for (let step = 0; ; step++) {
      const fast = pass(nodes, edges)
      const naive = interpret(nodes, edges)
      expect(
        { doNotRun: sorted(fast.doNotRun), runnable: sorted(fast.runnable), done: fast.done, result: fast.result },
        `seed ${seed}, step ${step}`,
      ).toEqual(naive)
      for (const node of nodes) if (fast.doNotRun.includes(node.id)) node.doNotRun = true
      if (fast.done) break
      for (const node of nodes) if (fast.runnable.includes(node.id)) node.status = 'running'
      const active = nodes.filter(({ status }) => status === 'running')
      expect(active.length, `seed ${seed}: stuck`).toBeGreaterThan(0)
      for (const node of active) if (active.length === 1 || random() < 0.5) node.status = ended(random)
    }
  }
})

function randomGraph(random: () => number): { nodes: GraphNode[]; edges: GraphEdge[] } {
  const size = 1 + Math.floor(random() * 12)
  const nodes = Array.from({ length: size }, (_, index) => ({
    id: index + 1,
    allParentsMustConverge: random() < 0.4,
    hasTemplate: random() < 0.9,
    doNotRun: false,
    skipped: false,
    status: null as JobStatus | null,
  }))
  const kinds: EdgeKind[] = ['success', 'failure', 'always']
  const edges: GraphEdge[] = []
  for (let childId = 2; childId <= size; childId++) {
    for (let parentId = 1; parentId < childId; parentId++) {
      if (random() < 0.3) edges.push({ parentId, childId, kind: kinds[Math.floor(random() * 3)] ?? 'always' })
    }
  }
  return { nodes, edges }
}

function ended(random: () => number): FinalStatus {
  const draw = random()
  return draw < 0.55 ? 'successful' : draw < 0.8 ? 'failed' : draw < 0.9 ? 'error' : 'canceled'
}

/** mulberry32: the same numbers for the same seed. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** The rules of the contract, sentence by sentence, without care for speed: marks until nothing changes, then searches from the roots. */
function interpret(given: GraphNode[], edges: GraphEdge[]) {
  const nodes = given.map((node) => ({ ...node }))
  const of = (id: number) => nodes.find((node) => node.id === id) as GraphNode
  const parents = (id: number) => edges.filter((edge) => edge.childId === id)
  const bad = (node: GraphNode) =>
    ['failed', 'error', 'canceled'].includes(node.status ?? '') ||
    (node.status === null && !node.hasTemplate && !node.doNotRun)
  const matches = (edge: GraphEdge) =>
    of(edge.parentId).status === 'successful'
      ? edge.kind !== 'failure'
      : bad(of(edge.parentId)) && edge.kind !== 'success'
  const decided = (node: GraphNode) => node.doNotRun || node.status === 'successful' || bad(node)
  const doNotRun: number[] = []
  for (let changed = true; changed; ) {
    changed = false
    for (const node of nodes) {
      const before = parents(node.id)
      if (before.length === 0 || node.doNotRun || node.status !== null) continue
      const allRefuses =
        node.allParentsMustConverge &&
        before.some(
          (edge) =>
            of(edge.parentId).doNotRun ||
            (['successful', 'failed'].includes(of(edge.parentId).status ?? '') && !matches(edge)),
        )
      // A child is looked at only after all above it: its parents are what they will be in this pass.
      const settled = before.every((edge) => settledIn(of(edge.parentId)))
      const nobodyLeads = before.every((edge) => decided(of(edge.parentId))) && !before.some(matches)
      if (!settled || !(allRefuses || nobodyLeads)) continue
      node.doNotRun = true
      doNotRun.push(node.id)
      changed = true
    }
  }
  const reached = new Set(nodes.filter((node) => parents(node.id).length === 0).map(({ id }) => id))
  for (const id of reached) {
    for (const edge of edges) if (edge.parentId === id && matches(edge)) reached.add(edge.childId)
  }
  const runnable = nodes
    .filter(
      (node) =>
        reached.has(node.id) &&
        node.status === null &&
        node.hasTemplate &&
        !node.doNotRun &&
        parents(node.id).every((edge) => decided(of(edge.parentId))),
    )
    .map(({ id }) => id)
  const done = nodes.every((node) => decided(node))
  const unhandled = nodes.some(
    (node) => bad(node) && !edges.some((edge) => edge.parentId === node.id && edge.kind !== 'success'),
  )
  return { doNotRun: sorted(doNotRun), runnable: sorted(runnable), done, result: unhandled ? 'failed' : 'successful' }

  /** A node without a template may still turn out never to be reached; it is looked at before its children. */
  function settledIn(node: GraphNode): boolean {
    if (node.hasTemplate || node.doNotRun || node.status !== null) return true
    const before = parents(node.id)
    if (before.length === 0) return true
    if (!before.every((edge) => settledIn(of(edge.parentId)))) return false
    const refused =
      node.allParentsMustConverge &&
      before.some(
        (edge) =>
          of(edge.parentId).doNotRun ||
          (['successful', 'failed'].includes(of(edge.parentId).status ?? '') && !matches(edge)),
      )
    return !refused && !(before.every((edge) => decided(of(edge.parentId))) && !before.some(matches))
  }
}

function sorted(ids: number[]): number[] {
  return [...ids].sort((one, other) => one - other)
}

function ok(): Written {
  return { status: 'successful' }
}

function bad(): Written {
  return { status: 'failed' }
}

function read(nodes: Record<number, Written>): GraphNode[] {
  return Object.entries(nodes).map(([id, { status = null, gone, never, skipped, all }]) => ({
    id: Number(id),
    allParentsMustConverge: all ?? false,
    hasTemplate: !gone,
    doNotRun: never ?? false,
    skipped: skipped ?? false,
    status,
  }))
}

function readEdges(written: string): GraphEdge[] {
  const kinds: Record<string, EdgeKind> = { s: 'success', f: 'failure', a: 'always' }
  return written
    .split(',')
    .filter((edge) => edge.trim() !== '')
    .map((edge) => {
      const [parentId, kind, childId] = edge.trim().split(' ')
      return { parentId: Number(parentId), childId: Number(childId), kind: kinds[kind ?? ''] ?? 'always' }
    })
}

function shown({ runnable, doNotRun, done, result }: ReturnType<typeof pass>): string {
  const parts = [
    ...(runnable.length > 0 ? [`run ${sorted(runnable).join(' ')}`] : []),
    ...(doNotRun.length > 0 ? [`never ${sorted(doNotRun).join(' ')}`] : []),
  ]
  return `${parts.join(', ')}; ${done ? 'done' : 'open'} ${result}`
}
