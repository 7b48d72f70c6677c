/** What a bench borrows of a stack, each for itself alone: a database, a Temporal namespace. */
import { Connection } from '@temporalio/client'
import pg from 'pg'
import { type StackAddresses, type StackOptions, stackStatus, startStack, stopStack } from '../dev/stack.ts'
import { until } from '../dev/wait.ts'
import type { Say } from './bench.ts'

/** Steps that take down what was brought up, run last first. */
export class Undo {
  readonly #steps: (() => Promise<void>)[] = []

  add(step: () => Promise<void>): void {
    this.#steps.push(step)
  }

  /** Runs every step, also after one that failed, and says what stays behind. */
  async all(say: Say): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) {
      await step().catch((error: Error) => say(`left behind: ${error.message}`))
    }
  }
}

/** Addresses of a whole stack. */
export type Parts = Required<Pick<StackAddresses, 'kubeconfigPath' | 'temporalAddress' | 'postgresUrl' | 'image'>> &
  Pick<StackAddresses, 'kubeContext' | 'auditLogPath'>

/** Starts everything; a stack that was running before is used and left running. */
export async function startParts(say: Say, undo: Undo): Promise<Parts> {
  const want = { kubernetes: true, temporal: true, image: true, postgres: true }
  const { kubeconfigPath, temporalAddress, postgresUrl, image, ...rest } = await start(want, say, undo)
  if (!kubeconfigPath || !temporalAddress || !postgresUrl || !image) throw new Error('the stack lacks a part')
  return { kubeconfigPath, temporalAddress, postgresUrl, image, ...rest }
}

/** Starts PostgreSQL alone; gives its superuser's address. */
export async function startPostgres(say: Say, undo: Undo): Promise<string> {
  const want = { kubernetes: false, temporal: false, image: false, postgres: true }
  const { postgresUrl } = await start(want, say, undo)
  if (!postgresUrl) throw new Error('the stack lacks PostgreSQL')
  return postgresUrl
}

async function start(want: StackOptions['want'], say: Say, undo: Undo): Promise<StackAddresses> {
  const name = process.env.MAYFLY_BENCH_STACK || 'bench'
  const running = (await stackStatus(name)).parts.some((part) => part.alive)
  if (!running) undo.add(() => stopStack(name))
  return startStack({ name, want, progress: say })
}

/** A database that only this stand uses; gives its address. */
export async function ownDatabase(superuserUrl: string, id: string, undo: Undo): Promise<string> {
  const name = id.replaceAll('-', '_')
  const administer = async (statement: string): Promise<void> => {
    const administrator = new pg.Client(superuserUrl)
    await administrator.connect()
    await administrator.query(statement).finally(() => administrator.end())
  }
  await administer(`CREATE DATABASE ${name}`)
  undo.add(() => administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
  const url = new URL(superuserUrl)
  url.pathname = `/${name}`
  return url.href
}

/** A Temporal namespace that only this stand uses, so that no other worker takes its tasks. */
export async function ownTemporalNamespace(address: string, namespace: string, undo: Undo): Promise<void> {
  const connection = await Connection.connect({ address })
  undo.add(async () => {
    await connection.operatorService.deleteNamespace({ namespace })
    await connection.close()
  })
  const workflowExecutionRetentionPeriod = { seconds: 86_400, nanos: 0 } as never
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod })
  // The server's parts learn of a namespace one after the other.
  await until({ what: `Temporal to know ${namespace}`, seconds: 30 }, async () => {
    await connection.operatorService.listSearchAttributes({ namespace })
    return true
  })
}
