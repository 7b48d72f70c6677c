/** What a test file has for itself alone on the shared stack: a database, a Kubernetes namespace, a Temporal namespace. */
import { Connection } from '@temporalio/client'
import pg from 'pg'
import { until } from '../../dev/wait.ts'
import { openConnection } from '../../kubernetes/connection.ts'
import { AlreadyExistsError, NotFoundError } from '../../kubernetes/errors.ts'
import { type Call, callApi } from '../../kubernetes/http.ts'
import type { ClusterTarget } from '../../kubernetes/target.ts'
import type { TestStack } from './stack.ts'

/** Steps that take down what was brought up, run last first. */
export class Undo {
  readonly #steps: (() => Promise<void>)[] = []

  /** Lets `use` add steps while it works, and runs them when it has ended, however that was. */
  static async after<Result>(use: (undo: Undo) => Promise<Result>): Promise<Result> {
    const undo = new Undo()
    try {
      return await use(undo)
    } finally {
      await undo.all()
    }
  }

  add(step: () => Promise<void>): void {
    this.#steps.push(step)
  }

  /** Runs every step, also after one that failed; then throws what failed. */
  async all(): Promise<void> {
    const errors: unknown[] = []
    for (const step of this.#steps.splice(0).reverse()) await step().catch((error: unknown) => errors.push(error))
    if (errors.length > 0) throw new AggregateError(errors, `left behind: ${errors.map(String).join('; ')}`)
  }
}

/** Creates a database, empty or as another one is to which nobody may be connected; gives its address. */
export async function ownDatabase(
  stack: Pick<TestStack, 'postgresUrl'>,
  name: string,
  undo: Undo,
  like = 'template0',
): Promise<string> {
  const [database, template] = [pg.escapeIdentifier(name), pg.escapeIdentifier(like)]
  await administer(stack, async (administrator) => {
    const { rows } = await administrator.query<{ version: string }>(
      "SELECT current_setting('server_version_num') AS version",
    )
    // Before 15 it is the only way. Since then the default is to log each page, which takes several times as long.
    const strategy = Number(rows[0]?.version) >= 150_000 ? 'STRATEGY file_copy' : ''
    await administrator.query(`CREATE DATABASE ${database} TEMPLATE ${template} ${strategy}`)
  })
  undo.add(() =>
    administer(stack, (administrator) => administrator.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`)),
  )
  const url = new URL(stack.postgresUrl)
  url.pathname = `/${name}`
  return url.href
}

async function administer(
  stack: Pick<TestStack, 'postgresUrl'>,
  use: (administrator: pg.Client) => Promise<unknown>,
): Promise<void> {
  const administrator = new pg.Client(stack.postgresUrl)
  await administrator.connect()
  await use(administrator).finally(() => administrator.end())
}

/** Where the stack's cluster is, for its administrator. */
export type ClusterOfStack = Pick<TestStack, 'kubeconfigPath' | 'kubeContext'>

type KubeconfigTarget = Extract<ClusterTarget, { kind: 'kubeconfig' }>

/** The stack's cluster as Mayfly's own client is told of it. */
export function stackTarget({ kubeconfigPath: path, kubeContext: context }: ClusterOfStack): KubeconfigTarget {
  return { kind: 'kubeconfig', path, ...(context ? { context } : {}) }
}

/**
 * Creates a Kubernetes namespace; it is deleted with everything in it, pods at once. Asks by Mayfly's own client: the other one's 900 modules take most of the time in which a
 * test file gets ready (cluster-admin.ts), and many need it for nothing else.
 */
export async function ownKubernetesNamespace(stack: ClusterOfStack, name: string, undo: Undo): Promise<void> {
  const connection = openConnection(stackTarget(stack))
  undo.add(async () => connection.agent.destroy())
  const ask = (method: Call['method'], path: string, body?: unknown) => callApi(connection, { method, path, body })
  const path = `/api/v1/namespaces/${name}`
  await until({ what: `${name} to be created`, seconds: 180, everyMs: 500 }, async () => {
    await ask('POST', '/api/v1/namespaces', { metadata: { name } }).catch(unless(AlreadyExistsError))
    return true
  })
  undo.add(async () => {
    // Whatever else the cluster is busy with, e.g. being restarted.
    await until({ what: `${name} to be deleted`, seconds: 180, everyMs: 500 }, async () => {
      await ask('DELETE', `${path}/pods?gracePeriodSeconds=0`).catch(unless(NotFoundError))
      await ask('DELETE', path).catch(unless(NotFoundError))
      return true
    })
  })
  // The admission of pods refuses until the namespace has its service account.
  await until({ what: `the service account of ${name}`, seconds: 180 }, () =>
    ask('GET', `${path}/serviceaccounts/default`),
  )
}

/** Lets an error of this class pass for success. */
function unless(kind: typeof AlreadyExistsError | typeof NotFoundError): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof kind)) throw error
  }
}

/** Registers a Temporal namespace that keeps closed workflows for a day. */
export async function ownTemporalNamespace(
  stack: Pick<TestStack, 'temporalAddress'>,
  namespace: string,
  undo: Undo,
): Promise<void> {
  const connection = await Connection.connect({ address: stack.temporalAddress })
  undo.add(() => connection.close())
  // The generated types want protobuf's own Long and Duration classes; the wire takes plain numbers.
  const workflowExecutionRetentionPeriod = { seconds: 86_400, nanos: 0 } as never
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod })
  undo.add(async () => {
    await connection.operatorService.deleteNamespace({ namespace })
  })
  // The server's parts learn of a namespace one after the other.
  await until({ what: `Temporal to know ${namespace}`, seconds: 180 }, async () => {
    await connection.operatorService.listSearchAttributes({ namespace })
    return true
  })
}
