/** `temporal-compose.yml` as data: read, with its variables filled in, and each step as a command that this machine can run. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

/** Folder of the checkout. */
export const checkout = join(import.meta.dirname, '..', '..')
/** The compose file. */
export const composePath = join(checkout, 'temporal-compose.yml')

/** What of a service these tests look at. */
export interface Service {
  image: string
  restart?: string
  entrypoint?: string[]
  command?: string[]
  environment?: Record<string, string>
  volumes?: string[]
  ports?: string[]
  depends_on?: Record<string, { condition: string }>
  healthcheck?: { test: string[]; retries: number }
}

/** The parts of a compose file that these tests look at. */
export interface Compose {
  name: string
  services: Record<string, Service>
  volumes: Record<string, unknown>
}

/** Reads the compose file; `env` fills in `${NAME:-default}` as `docker compose` does. */
export function readCompose(env: Record<string, string> = {}): Compose {
  const text = readFileSync(composePath, 'utf8').replace(
    /\$\{(\w+):-([^}]*)\}/g,
    (_, name: string, otherwise: string) => env[name] || otherwise,
  )
  return parse(text, { merge: true }) as Compose
}

/** A service of the compose file; fails when there is none of this name. */
export function service(compose: Compose, name: string): Service {
  const found = compose.services[name]
  if (!found) throw new Error(`temporal-compose.yml has no service ${name}`)
  return found
}

/** A program with its arguments and environment. */
export interface Step {
  program: string
  args: string[]
  env: Record<string, string>
}

/**
 * What a service runs, for running it outside a container: paths below a mounted folder become paths of the checkout; `overrides` replaces
 * variables that name other containers. A variable that the service does not set is refused, so that nothing is added that compose would lack.
 */
export function step(compose: Compose, name: string, overrides: Record<string, string>): Step {
  const { entrypoint = [], command = [], environment = {}, volumes = [] } = service(compose, name)
  for (const key of Object.keys(overrides)) {
    if (!(key in environment)) throw new Error(`the service ${name} does not set ${key}`)
  }
  const mounts = volumes
    .map((volume) => volume.split(':'))
    .filter(([source]) => source?.startsWith('./'))
    .map(([source = '', target = '']) => ({ source: join(checkout, source), target }))
  const local = (text: string): string =>
    mounts.reduce((result, { source, target }) => result.replaceAll(target, source), text)
  const [program = '', ...args] = [...entrypoint, ...command].map(local)
  const env = Object.fromEntries(Object.entries({ ...environment, ...overrides }).map(([k, v]) => [k, local(`${v}`)]))
  return { program, args, env }
}
