import type { Cluster } from './cluster.ts'
import { ForbiddenError, isTransient, NotFoundError, UnauthorizedError } from './errors.ts'
import type { ExecOptions, ExecSession } from './exec.ts'
import { CommandNotStartedError, ContainerNotRunningError } from './exec-errors.ts'
import type { Pod } from './objects.ts'
import { PodEndedError, PodNotStartingError } from './pod-errors.ts'
import { followFate, workerStatus } from './pod-state.ts'

/** The pod of one attempt; `uid` tells it from a later pod of the same name. */
export interface SpooledPod {
  namespace: string
  name: string
  uid: string
}

/** What a conversation needs of a cluster. */
export type PodAccess = Pick<Cluster, 'exec' | 'getPod'>

/** A pod is looked at this often while its container does not run. */
const lookEveryMs = 1_000
/** 401 and 403 are borne this long, because an API server that has just started refuses everybody until its caches are filled. */
const refusalPatienceMs = 15_000
/** While a container ends, an exec may fail in many ways; only a failure that lasts although the pod runs is the image's. */
const commandPatienceMs = 5_000

/** How a script is run. */
export interface ScriptOptions extends ExecOptions {
  /** Where it has not ended in this time, the connection is given up as lost. */
  limitMs?: number
}

/**
 * Runs scripts in the worker container of one pod and judges what goes wrong: survive() returns when the same may work later, and throws what
 * ends the conversation.
 */
export class PodTalk {
  readonly #cluster: PodAccess
  readonly #pod: SpooledPod
  readonly #signal: AbortSignal
  readonly #fate = followFate()
  #lastSeen: Pod | null = null
  #lookedAt = performance.now()
  #refusedSince: number | null = null
  #notStartedSince: number | null = null

  constructor(cluster: PodAccess, pod: SpooledPod, signal: AbortSignal) {
    this.#cluster = cluster
    this.#pod = pod
    this.#signal = signal
  }

  /** Runs a script; ended by the conversation's signal where `options` have none. */
  async exec(script: string, words: string[], { limitMs, ...options }: ScriptOptions = {}): Promise<ExecSession> {
    const { namespace, name } = this.#pod
    const session = await this.#cluster.exec(namespace, name, 'worker', ['sh', '-c', script, 'mayfly', ...words], {
      signal: this.#signal,
      ...options,
    })
    this.#refusedSince = null
    const limit = limitMs === undefined ? undefined : setTimeout(() => session.abort(), limitMs)
    session.result.then(
      () => {
        clearTimeout(limit)
        this.#notStartedSince = null
      },
      () => clearTimeout(limit),
    )
    return session
  }

  /** The whole output of a script whose exit code does not matter; throws when the connection is lost. */
  async readAll(session: ExecSession): Promise<string> {
    const chunks: Buffer[] = []
    for await (const chunk of session.stdout) chunks.push(chunk)
    await session.result
    return Buffer.concat(chunks).toString('utf8')
  }

  /** Returns when it is worth trying again; throws the error, or what the pod's state says instead of it. */
  async survive(error: unknown): Promise<void> {
    this.#signal.throwIfAborted()
    if (error instanceof UnauthorizedError || error instanceof ForbiddenError) {
      this.#refusedSince ??= performance.now()
      if (performance.now() - this.#refusedSince > refusalPatienceMs) throw error
      return
    }
    if (error instanceof CommandNotStartedError) {
      this.#notStartedSince ??= performance.now()
      if (performance.now() - this.#notStartedSince > commandPatienceMs) throw error
      await this.#lookNow(error)
      return
    }
    if (error instanceof NotFoundError) return this.#lookNow(error).then(() => {})
    if (!isTransient(error)) throw error
    // "Not running" is expected while a pod starts; its state is asked for now and then only.
    if (error instanceof ContainerNotRunningError && performance.now() - this.#lookedAt < lookEveryMs) return
    await this.#lookNow(error)
  }

  /** Looks at the pod; throws PodEndedError or PodNotStartingError where nothing can be hoped for. */
  async look(): Promise<'starting' | 'running' | 'unknown'> {
    return this.#lookNow(null)
  }

  /** Exit code of the worker container when it was seen terminated. */
  workerExitCode(): number | null {
    return (this.#lastSeen && workerStatus(this.#lastSeen)?.state?.terminated?.exitCode) ?? null
  }

  async #lookNow(occasion: unknown): Promise<'starting' | 'running' | 'unknown'> {
    const { namespace, name, uid } = this.#pod
    this.#lookedAt = performance.now()
    let pod: Pod
    try {
      pod = await this.#cluster.getPod(namespace, name, { signal: this.#signal })
    } catch (error) {
      this.#signal.throwIfAborted()
      if (error instanceof NotFoundError) throw new PodEndedError('gone', name, this.#lastSeen)
      if (isTransient(error)) return 'unknown'
      if (error === occasion) throw error
      await this.survive(error)
      return 'unknown'
    }
    if (pod.metadata.uid !== uid) throw new PodEndedError('replaced', name, this.#lastSeen)
    this.#lastSeen = pod
    const fate = this.#fate(pod, Date.now())
    if (fate.state === 'failed-to-start') throw new PodNotStartingError(fate.cause)
    if (fate.state === 'ended') throw new PodEndedError('terminal', name, pod)
    return fate.state
  }
}
