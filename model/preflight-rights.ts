/** A right that running jobs takes, and what it is for. */
export interface WantedRight {
  /** With its subresource, as `pods/exec`. */
  resource: string
  verbs: readonly string[]
  /** Without it no job runs; the others have a loss that is told. */
  needed: boolean
  /** What is lost without it. */
  loss: string
}

/** All rights that are made use of, in a group's namespace. `pullSecret`: the execution environment's registry asks for a login. */
export function wantedRights({ pullSecret }: { pullSecret: boolean }): WantedRight[] {
  return [
    { resource: 'pods', verbs: ['create', 'get', 'delete'], needed: true, loss: 'no job runs' },
    { resource: 'pods/exec', verbs: ['get'], needed: true, loss: 'no job runs' },
    { resource: 'pods/exec', verbs: ['create'], needed: false, loss: 'no job runs from Kubernetes 1.35 on' },
    {
      resource: 'pods',
      verbs: ['list', 'watch'],
      needed: false,
      loss: 'a freed place is noticed late, and pods that nobody owns are not found',
    },
    {
      resource: 'resourcequotas',
      verbs: ['list', 'watch'],
      needed: false,
      loss: 'a used-up quota is noticed only when a pod is refused',
    },
    { resource: 'limitranges', verbs: ['list', 'watch'], needed: false, loss: 'what a pod counts is known less well' },
    { resource: 'events', verbs: ['list'], needed: false, loss: 'why a pod did not start is told in fewer words' },
    {
      resource: 'secrets',
      verbs: ['create', 'update'],
      needed: pullSecret,
      loss: 'images of registries that ask for a login cannot be pulled',
    },
  ]
}

/** The rule of a Role that grants rights, as people paste it: one line for each resource. */
export function roleRules(missing: readonly { resource: string; verbs: readonly string[] }[]): string {
  const byResource = Map.groupBy(missing, ({ resource }) => resource)
  return [...byResource]
    .map(([resource, rights]) => {
      const verbs = rights.flatMap(({ verbs }) => verbs)
      return `{apiGroups: [""], resources: [${resource}], verbs: [${verbs.join(', ')}]}`
    })
    .join(', ')
}
