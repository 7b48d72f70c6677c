/**
 * The rooms of docs/design.md and what each may import. A room that is not named in a rule's `allowed`
 * list is out of bounds for it; tests beside a file may import what they need to test it.
 */
const rooms = {
  model: [],
  store: ['model'],
  runner: ['model'],
  kubernetes: ['model'],
  activities: ['kubernetes', 'runner', 'store', 'model'],
  workflows: ['model'],
  worker: ['activities', 'kubernetes', 'store', 'model', 'workflows'],
  api: ['model', 'store'],
  dev: [],
}
const everyRoom = [
  'web',
  'cli',
  'api',
  'worker',
  'workflows',
  'activities',
  'kubernetes',
  'runner',
  'store',
  'model',
  'dev',
  'test',
  'bench',
]

const roomRules = Object.entries(rooms).map(([room, allowed]) => ({
  name: `${room}-imports`,
  comment: `${room}/ may import only: ${allowed.join(', ') || 'nothing of ours'}`,
  severity: 'error',
  from: { path: `^${room}/`, pathNot: '\\.test\\.ts$' },
  to: {
    path: `^(${everyRoom.filter((other) => other !== room && !allowed.includes(other)).join('|')})/`,
    // Types and names are shared where the design says so: the API and the workflows know each other's shapes only.
    ...(room === 'api' ? { pathNot: '^workflows/(names|types)\\.ts$' } : {}),
    ...(room === 'workflows' ? { pathNot: '^activities/types\\.ts$' } : {}),
  },
}))

module.exports = {
  forbidden: [
    ...roomRules,
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'model-is-pure',
      comment: 'model/ does no I/O',
      severity: 'error',
      from: { path: '^model/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core', 'npm'], pathNot: '^(node_modules/)?yaml' },
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // The TypeScript compiler's own interface is not there in version 7; swc is (Temporal's worker brings it).
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  },
}
