/** Everything that `mayfly dev` does before the process that stays: the stack, Ansible, the embedded database. */
import { controlPlaneAnsible } from '../../dev/ansible.ts'
import { portIsFree } from '../../dev/numbers.ts'
import { identify } from '../../dev/process.ts'
import { type StackAddresses, startStack } from '../../dev/stack.ts'
import { CommandError } from '../errors.ts'
import { readSettings } from '../settings.ts'
import { makeFirstDatabase } from './first-database.ts'
import { frugalEnvironment } from './frugal.ts'
import { devFiles, writeDevRecord } from './record.ts'
import type { DevTask } from './task.ts'

const defaultPort = 8052

/** Starts what Mayfly needs; gives the environment of the process that then serves, its task included. */
export async function prepareDev(name: string, show: boolean): Promise<Record<string, string>> {
  const progress = progressOf(name)
  const identity = identify(process.pid)
  if (!identity) throw new Error('cannot find this process in /proc')
  writeDevRecord(name, { identity })
  const want = { kubernetes: true, temporal: true, image: true }
  const [addresses, galaxy] = await Promise.all([startStack({ name, want, progress }), findGalaxy(progress)])
  const env = await environment(name, addresses)
  const newPassword = await makeFirstDatabase(name, readSettings(env), env)
  const { temporalUiUrl, kubeconfigPath, kubeContext, temporalAddress = '' } = addresses
  const places = { temporalUiUrl, kubeconfigPath, kubeContext, temporalAddress }
  const task: DevTask = { name, show, galaxy, places, newPassword }
  return { ...env, ...frugalEnvironment, MAYFLY_DEV_TASK: JSON.stringify(task) }
}

/** Says on stderr what goes on, with the seconds since the start. */
export function progressOf(name: string): (line: string) => void {
  const begin = performance.now()
  return (line) => console.error(`${name} ${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${line}`)
}

/** Ansible for project updates; without it everything works but projects with a requirements.yml. */
async function findGalaxy(progress: (line: string) => void): Promise<DevTask['galaxy']> {
  try {
    const { galaxy, env } = await controlPlaneAnsible(progress)
    return { command: galaxy, env }
  } catch (error) {
    progress(
      `ansible: none for the control plane (${error instanceof Error ? error.message : error}); projects with a requirements.yml will fail to update`,
    )
    return null
  }
}

/** The process's environment with what the stack and its state folder fill in. */
async function environment(name: string, addresses: StackAddresses): Promise<Record<string, string>> {
  const { data, secretKey } = devFiles(name)
  const env = { ...process.env } as Record<string, string>
  env.MAYFLY_DATA ||= data
  if (!env.MAYFLY_SECRET_KEY) env.MAYFLY_SECRET_KEY_FILE ||= secretKey
  env.MAYFLY_LOG_FORMAT ||= 'text'
  env.MAYFLY_PORT ||= String(await freePort())
  if (addresses.image) env.MAYFLY_EE_IMAGE = addresses.image
  if (addresses.kubeconfigPath) env.MAYFLY_KUBECONFIG = addresses.kubeconfigPath
  if (addresses.kubeContext) env.MAYFLY_KUBE_CONTEXT = addresses.kubeContext
  if (addresses.temporalAddress) env.TEMPORAL_ADDRESS = addresses.temporalAddress
  return env
}

/** The usual port, or the next one when somebody else has it. */
async function freePort(): Promise<number> {
  for (let port = defaultPort; port < defaultPort + 100; port++) if (await portIsFree(port)) return port
  throw new CommandError(`no free port from ${defaultPort} on`, 'set MAYFLY_PORT')
}
