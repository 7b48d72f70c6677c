/** What is remembered of a running `mayfly dev`, so that others find it, and its secrets, which nothing but these files holds. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stackPaths } from '../../dev/paths.ts'
import type { Identity } from '../../dev/process.ts'
import type { StackAddresses } from '../../dev/stack.ts'
import { writeWhole } from '../../dev/state.ts'

/** Where things are; what a stack of the environment's own does not tell is absent. */
export interface Places extends Pick<StackAddresses, 'temporalUiUrl' | 'kubeconfigPath' | 'kubeContext'> {
  url: string
  temporalAddress: string
  temporalNamespace: string
  /** Namespace of the pods of groups that name none. */
  kubernetesNamespace: string
  image: string
  dataFolder: string
  logsFolder: string
}

/** A `mayfly dev` that was started; `places` once it is ready. */
export interface DevRecord {
  identity: Identity
  places?: Places
}

/** Files of a stack that `mayfly dev` writes. */
export function devFiles(name: string) {
  const { state, logs } = stackPaths(name)
  return {
    record: join(state, 'mayfly.json'),
    /** Mode 0600, made at the first start if MAYFLY_ADMIN_PASSWORD is not set. */
    adminPassword: join(state, 'admin-password'),
    secretKey: join(state, 'secret-key'),
    data: join(state, 'data'),
    /** Of a process in the background. */
    log: join(logs, 'mayfly.log'),
    logs,
  }
}

/** The last `mayfly dev` of this stack; it may have died since. */
export function readDevRecord(name: string): DevRecord | undefined {
  try {
    return JSON.parse(readFileSync(devFiles(name).record, 'utf8')) as DevRecord
  } catch {
    // None, or half of one from a machine that went down.
    return undefined
  }
}

/** Stores the record. */
export function writeDevRecord(name: string, record: DevRecord): void {
  writeWhole(devFiles(name).record, `${JSON.stringify(record, null, 2)}\n`)
}

/** The admin's password: the one in the environment, else the one made at the first start; undefined when neither is known. */
export function adminPassword(name: string, env: NodeJS.ProcessEnv): string | undefined {
  if (env.MAYFLY_ADMIN_PASSWORD) return env.MAYFLY_ADMIN_PASSWORD
  try {
    return readFileSync(devFiles(name).adminPassword, 'utf8').trim()
  } catch {
    return undefined
  }
}
