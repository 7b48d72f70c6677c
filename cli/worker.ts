import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { ActivitySettings } from '../activities/deps.ts'
import { runPart } from './part-process.ts'
import type { Settings } from './settings.ts'
import { startWorkerPart } from './worker-part.ts'

/** `mayfly worker`: runs jobs until the process is asked to end. Needs the database, and waits for Temporal. */
export async function worker(migrate: boolean): Promise<void> {
  await runPart(migrate, async (composition, end) => {
    const { settings, log } = composition
    const galaxy = galaxyOnThisMachine(settings, process.env)
    if (!galaxy) log.warn('there is no ansible-galaxy here: projects with a requirements.yml will fail to update')
    const running = await startWorkerPart(composition, galaxy, end.signal)
    // A worker that broke ends the process: whoever supervises it starts a sound one.
    const signal = await Promise.race([end.asked, running.done])
    log.info({ signal }, 'ending')
    await running.stop()
  })
}

/** The `ansible-galaxy` that the settings name, or the one on PATH. */
export function galaxyOnThisMachine(settings: Settings, env: NodeJS.ProcessEnv): ActivitySettings['ansibleGalaxy'] {
  const named = settings.ansibleGalaxy
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean)
  const found = folders.map((folder) => join(folder, 'ansible-galaxy')).find((file) => existsSync(file))
  if (!named && !found) return null
  // git's environment is a bare one, so what this process was given for Ansible's sake is handed on.
  const passedOn = ['PATH', 'PYTHONPATH', 'LANG', 'LC_ALL', 'HOME'].flatMap((name) => {
    const value = env[name]
    return value === undefined ? [] : [[name, value]]
  })
  return { command: named ?? [found ?? ''], env: Object.fromEntries(passedOn) }
}
