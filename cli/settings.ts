import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { lineDepth } from '../store/line-key.ts'

/** Everything the processes read from the environment, checked once at start. Durations are in seconds. */
export interface Settings {
  /** `postgres://…` or `pglite://FOLDER`. */
  databaseUrl: string
  /** Where project checkouts and spooled artifacts live on this machine. */
  dataFolder: string
  /** Keeps the workflow bundle from start to start: MAYFLY_CACHE, which installations may share, or the data folder. */
  bundleFolder: string
  /** Root of manual projects, as AWX's PROJECTS_ROOT. */
  projectsRoot: string
  /** Name of this node on the wire: X-API-Node and `controller_node`. */
  nodeName: string
  host: string
  port: number
  /** Base of links that are written into pods, such as the job's URL. */
  publicUrl: string
  adminPassword: string | undefined
  /** Image of the default execution environment. */
  defaultImage: string
  /** Namespace of pods whose group names none. */
  defaultNamespace: string
  /** Kubeconfig of groups without a credential; without one, the service account of the pod we run in. */
  kubeconfig: string | undefined
  kubeContext: string | undefined
  temporalNamespace: string
  /** How long a pod may stay un-Ready before its job ends as error (AWX_CONTAINER_GROUP_POD_PENDING_TIMEOUT). */
  podPendingSeconds: number
  /** How long a pod is waited for that no node can ever take as the nodes are, before its job ends as error; an autoscaler may still bring one. */
  noNodeSeconds: number
  /** Hard end of any pod, even with no controller alive. */
  podDeadlineSeconds: number
  /** How long an API server that never answered may stay away before the job that needs it ends as error. */
  endpointPatienceSeconds: number
  /** How often the reaper runs, and the age at which a pod without owner is deleted. */
  reaperIntervalSeconds: number
  orphanGraceSeconds: number
  /** Pods that the reaper deletes in a second at most, for each cluster. */
  reaperDeletesPerSecond: number
  /** When all container groups are tested, in UTC; null: never. */
  nightlyTest: { hour: number; minute: number } | null
  /** How many jobs of one line wait in Temporal; the others rest in the database. */
  lineDepth: number
  /** How long one try to deliver a notification may take. */
  notificationSeconds: number
  /** A shell in a pod in which nothing is typed and nothing printed is ended after this time. */
  shellIdleSeconds: number
  /** Open shells of one job, for each process of the API. */
  shellsPerJob: number
  logLevel: string
  /** JSON for machines, or text for people; undefined: text on a terminal. */
  logFormat: 'json' | 'text' | undefined
  /** Command line of `ansible-galaxy`; undefined: the one on PATH, if any. */
  ansibleGalaxy: string[] | undefined
  /** Where inventory updates run whose source names no execution environment. */
  inventoryUpdates: 'control-plane' | 'group'
  /** Modules that ad hoc commands may run (AD_HOC_COMMANDS); undefined: AWX's list. */
  adHocModules: string[] | undefined
  /** How long a starting process waits for its database. */
  startupSeconds: number
}

/** Settings that are out of range or unreadable: names the variable and the remedy. */
export class SettingsError extends Error {
  override name = 'SettingsError'
}

function seconds(env: NodeJS.ProcessEnv, name: string, byDefault: number): number {
  const text = env[name]
  if (text === undefined || text === '') return byDefault
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0)
    throw new SettingsError(`${name} must be a positive number of seconds, not "${text}".`)
  return value
}

function rate(env: NodeJS.ProcessEnv, name: string, byDefault: number): number {
  const text = env[name]
  if (text === undefined || text === '') return byDefault
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0)
    throw new SettingsError(`${name} must be a positive number, of times in a second, not "${text}".`)
  return value
}

function timeOfDay(env: NodeJS.ProcessEnv, name: string, byDefault: string): { hour: number; minute: number } | null {
  const text = env[name] || byDefault
  if (text === 'never') return null
  const [, hour, minute] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? []
  if (!hour || !minute)
    throw new SettingsError(`${name} must be a time such as 02:30, in UTC, or never, not "${text}".`)
  return { hour: Number(hour), minute: Number(minute) }
}

function wholeNumber(env: NodeJS.ProcessEnv, name: string, byDefault: number, least = 0): number {
  const text = env[name]
  if (text === undefined || text === '') return byDefault
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < least)
    throw new SettingsError(`${name} must be a whole number${least > 0 ? ` of at least ${least}` : ''}, not "${text}".`)
  return value
}

function portNumber(env: NodeJS.ProcessEnv, name: string, byDefault: number): number {
  const text = env[name]
  if (text === undefined || text === '') return byDefault
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0 || value > 65535)
    throw new SettingsError(`${name} must be a port from 0 to 65535, not "${text}".`)
  return value
}

function choice<Value extends string>(
  env: NodeJS.ProcessEnv,
  name: string,
  values: readonly Value[],
): Value | undefined {
  const text = env[name]
  if (text === undefined || text === '') return undefined
  const value = values.find((one) => one === text)
  if (!value) throw new SettingsError(`${name} must be one of ${values.join(', ')}, not "${text}".`)
  return value
}

function moduleNames(env: NodeJS.ProcessEnv, name: string): string[] | undefined {
  const names = env[name]?.split(/[\s,]+/).filter(Boolean)
  if (!names?.length) return undefined
  const wrong = names.find((one) => !/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(one))
  if (wrong)
    throw new SettingsError(`${name} must be names of modules with commas between them, and "${wrong}" is none.`)
  return names
}

/** Reads the settings of this process; throws SettingsError. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const stateFolder = env.MAYFLY_STATE ?? join(homedir(), '.local', 'state', 'mayfly')
  const dataFolder = env.MAYFLY_DATA ?? join(stateFolder, 'data')
  const host = env.MAYFLY_HOST ?? '127.0.0.1'
  const port = portNumber(env, 'MAYFLY_PORT', 8052)
  return {
    databaseUrl: env.MAYFLY_DATABASE_URL ?? `pglite://${join(dataFolder, 'pglite')}`,
    dataFolder,
    bundleFolder: env.MAYFLY_CACHE ? join(env.MAYFLY_CACHE, 'compiled') : dataFolder,
    projectsRoot: env.MAYFLY_PROJECTS_ROOT ?? join(dataFolder, 'projects'),
    nodeName: env.MAYFLY_NODE_NAME ?? hostname(),
    host,
    port,
    publicUrl: env.MAYFLY_PUBLIC_URL ?? `http://${host}:${port}`,
    adminPassword: env.MAYFLY_ADMIN_PASSWORD || undefined,
    defaultImage: env.MAYFLY_EE_IMAGE ?? 'ansible/awx-ee:24.6.1',
    defaultNamespace: env.MAYFLY_NAMESPACE ?? env.MY_POD_NAMESPACE ?? 'default',
    kubeconfig: env.MAYFLY_KUBECONFIG ?? env.KUBECONFIG,
    kubeContext: env.MAYFLY_KUBE_CONTEXT,
    temporalNamespace: env.TEMPORAL_NAMESPACE ?? 'default',
    podPendingSeconds: seconds(env, 'MAYFLY_POD_PENDING_TIMEOUT', 7200),
    noNodeSeconds: seconds(env, 'MAYFLY_NO_NODE_PATIENCE', 60),
    podDeadlineSeconds: seconds(env, 'MAYFLY_POD_DEADLINE', 7 * 86_400),
    endpointPatienceSeconds: seconds(env, 'MAYFLY_ENDPOINT_PATIENCE', 60),
    reaperIntervalSeconds: seconds(env, 'MAYFLY_REAPER_INTERVAL', 30),
    orphanGraceSeconds: seconds(env, 'MAYFLY_ORPHAN_GRACE', 60),
    reaperDeletesPerSecond: rate(env, 'MAYFLY_REAPER_DELETES_PER_SECOND', 20),
    nightlyTest: timeOfDay(env, 'MAYFLY_NIGHTLY_TEST', '02:30'),
    lineDepth: wholeNumber(env, 'MAYFLY_LINE_DEPTH', lineDepth, 1),
    notificationSeconds: seconds(env, 'MAYFLY_NOTIFICATION_TIMEOUT', 30),
    shellIdleSeconds: seconds(env, 'MAYFLY_SHELL_IDLE_TIMEOUT', 900),
    shellsPerJob: wholeNumber(env, 'MAYFLY_SHELLS_PER_JOB', 5),
    logLevel: choice(env, 'MAYFLY_LOG_LEVEL', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']) ?? 'info',
    logFormat: choice(env, 'MAYFLY_LOG_FORMAT', ['json', 'text']),
    ansibleGalaxy: env.MAYFLY_ANSIBLE_GALAXY?.split(' ').filter(Boolean),
    inventoryUpdates: choice(env, 'MAYFLY_INVENTORY_UPDATES', ['control-plane', 'group']) ?? 'control-plane',
    adHocModules: moduleNames(env, 'MAYFLY_AD_HOC_COMMANDS'),
    startupSeconds: seconds(env, 'MAYFLY_STARTUP_TIMEOUT', 300),
  }
}
