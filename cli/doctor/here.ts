/** Checks of the database and of what must be on this machine. */
import { existsSync } from 'node:fs'
import { controlPlaneAnsibleFolder } from '../../dev/ansible.ts'
import type { Check } from '../../dev/doctor.ts'
import { run, which } from '../../dev/run.ts'
import { isMigrated } from '../../store/migrate.ts'
import { loadKeyring } from '../../store/secrets.ts'
import { reasonOf } from '../../worker/reason.ts'
import { openStore } from '../compose.ts'
import { createLogger } from '../log.ts'
import type { Settings } from '../settings.ts'
import { galaxyOnThisMachine } from '../worker.ts'

/** Whether the database answers and has this release's schema; an embedded one is only opened by its own process. */
export async function databaseCheck(settings: Settings, inUse: boolean): Promise<Check> {
  const name = 'database'
  const shown = withoutPassword(settings.databaseUrl)
  if (settings.databaseUrl.startsWith('pglite://')) {
    const detail = inUse ? 'embedded, open in mayfly dev' : `embedded, ${shown}; made at the first start of mayfly dev`
    return { name, ok: true, detail }
  }
  const store = await openStore(settings, createLogger({ logLevel: 'silent', logFormat: 'json' }))
  try {
    await store.health()
    if (await isMigrated(store)) return { name, ok: true, detail: `${shown} answers and has this release's schema` }
    return {
      name,
      ok: false,
      detail: `${shown} answers, without this release's schema`,
      remedy: 'run `mayfly migrate`',
    }
  } catch (error) {
    return {
      name,
      ok: false,
      detail: `${shown}: ${reasonOf(error)}`,
      remedy: 'start it, or correct MAYFLY_DATABASE_URL',
    }
  } finally {
    await store.close()
  }
}

function withoutPassword(address: string): string {
  try {
    const url = new URL(address)
    url.password = ''
    url.search = ''
    return url.href
  } catch {
    return 'the address in MAYFLY_DATABASE_URL'
  }
}

/** Whether secrets can be sealed; the embedded installation of `mayfly dev` makes its own key. */
export async function secretKeyCheck(env: NodeJS.ProcessEnv, devRuns: boolean): Promise<Check> {
  const name = 'secret key'
  const { MAYFLY_SECRET_KEY: key, MAYFLY_SECRET_KEY_FILE: file } = env
  if (!key && !file) {
    const detail = devRuns ? 'kept by mayfly dev' : 'none set; mayfly dev makes its own, api and worker need one'
    return { name, ok: true, detail }
  }
  if (!key && file && !existsSync(file)) return { name, ok: true, detail: `${file} will be made at the first start` }
  try {
    const { keys } = await loadKeyring(env)
    return { name, ok: true, detail: `${keys.size} usable` }
  } catch (error) {
    return { name, ok: false, detail: reasonOf(error), remedy: 'a key: `openssl rand -base64 32`' }
  }
}

/** Project updates run git on this machine. */
export async function gitCheck(): Promise<Check> {
  const version = await run('git', ['--version']).catch(() => undefined)
  if (version) return { name: 'git', ok: true, detail: version.trim() }
  return { name: 'git', ok: false, detail: 'not on PATH', remedy: 'apt-get install git: projects are fetched here' }
}

/** Projects with a requirements.yml need ansible-galaxy on this machine. */
export async function galaxyCheck(settings: Settings, env: NodeJS.ProcessEnv): Promise<Check> {
  const name = 'ansible-galaxy'
  const found = galaxyOnThisMachine(settings, env)
  const program = found?.command[0]
  if (program && which(program, env) === undefined && !existsSync(program)) {
    const remedy = 'correct MAYFLY_ANSIBLE_GALAXY'
    return { name, ok: false, detail: `${program} is not a program here`, remedy }
  }
  if (found) return { name, ok: true, detail: found.command.join(' ') }
  const built = await controlPlaneAnsibleFolder()
  if (built) return { name, ok: true, detail: `${existsSync(built) ? 'fetched' : 'will be fetched'} by mayfly dev` }
  const remedy = 'install ansible-core, or name the command in MAYFLY_ANSIBLE_GALAXY'
  return { name, ok: false, detail: 'not on PATH', remedy }
}
