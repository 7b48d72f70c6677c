import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Checkouts } from './checkouts.ts'
import { CommandFailedError, runCommand } from './command.ts'
import { describeFailure } from './failure.ts'
import {
  contentFolders,
  contentHash,
  findRequirements,
  galaxyEnvironment,
  installCommands,
  type Requirements,
} from './galaxy.ts'
import { whyUnreachable } from './http.ts'
import type { Narrator, TaskResult } from './narrator.ts'
import type { GalaxyCommand, GalaxyServer } from './types.ts'

/** What is needed to install content for one tree. */
export interface ContentRequest {
  /** The project's tree. */
  folder: string
  /** The project is a repository on this machine, and may name others here. */
  isLocal: boolean
  /** Environment of git, for requirements that are repositories. */
  env: Record<string, string>
  options: { galaxy: GalaxyCommand | null; galaxyServers?: GalaxyServer[]; refreshContent: boolean }
  checkouts: Checkouts
  signal: AbortSignal
  /** How long a remote may be silent, in milliseconds. */
  patienceMs: number
}

/** Folders with roles and collections that the project asks for; null where it asks for none. */
export interface ProjectContent {
  rolesFolder: string | null
  collectionsFolder: string | null
}

const action = 'ansible.builtin.command'
const configFile = 'ansible.cfg'
/** ansible-galaxy tells of each piece of content, not of its progress, and tries again what timed out: it may be silent for some patiences. */
const silenceFactor = 10

/** Installs what the requirements files ask for, a task for each. Throws CommandFailedError, RequirementsError. */
export async function syncContent(request: ContentRequest, narrator: Narrator): Promise<ProjectContent> {
  const requirements = await findRequirements(request.folder)
  const files = requirements.flatMap(({ file }) => file ?? [])
  if (files.length === 0) {
    for (const { task } of requirements) await narrator.task(task, action, () => ({ skipped: true }))
    return { rolesFolder: null, collectionsFolder: null }
  }
  const { galaxy } = request.options
  const missing = !galaxy
    ? 'ansible-galaxy was not found on the control plane'
    : request.options.galaxyServers?.length === 0
      ? 'the organization of the project has no Galaxy credential (galaxy_credentials)'
      : null
  if (!galaxy || missing) {
    const msg = `The content of ${files.join(', ')} is not installed: ${missing}.`
    await narrator.task('Warn about disabled content sync', 'ansible.builtin.debug', () => ({
      res: { msg },
      shown: { msg },
    }))
    return { rolesFolder: null, collectionsFolder: null }
  }
  const tree = await contentTree(request, galaxy, requirements, narrator)
  return {
    rolesFolder: await existing(join(tree, contentFolders.role)),
    collectionsFolder: await existing(join(tree, contentFolders.collection)),
  }
}

async function contentTree(
  request: ContentRequest,
  galaxy: GalaxyCommand,
  requirements: Requirements[],
  narrator: Narrator,
): Promise<string> {
  const { checkouts, options, signal } = request
  const hash = contentHash(requirements, options.galaxyServers ?? [], request.folder)
  const known = options.refreshContent ? null : await checkouts.findContent(hash)
  if (known) {
    const done = { res: { msg: 'Installed before for the same requirements.' } }
    for (const { task, file } of requirements)
      await narrator.task(task, action, () => (file ? done : { skipped: true }))
    return known
  }
  const tree = await checkouts.makeTree('content', async (target) => {
    await writeFile(join(target, configFile), '')
    for (const one of requirements) {
      await narrator.task(
        one.task,
        action,
        () => installOne(request, galaxy, target, one),
        (error) => describeFailure(error, signal),
      )
    }
  })
  await checkouts.noteContent(hash, tree)
  return tree
}

async function installOne(
  { folder, isLocal, env, options, signal, patienceMs }: ContentRequest,
  galaxy: GalaxyCommand,
  target: string,
  requirements: Requirements,
): Promise<TaskResult> {
  if (requirements.file === null) return { skipped: true }
  const commands = installCommands(galaxy, folder, target, requirements, isLocal)
  const places = { config: join(target, configFile), home: join(env.HOME ?? target, 'ansible'), patienceMs }
  const output: string[] = []
  const servers = options.galaxyServers ?? []
  for (const command of commands) {
    const text = await runCommand(command, {
      cwd: folder,
      env: { ...env, ...galaxyEnvironment(galaxy, servers, places) },
      signal,
      silenceMs: patienceMs * silenceFactor,
    }).catch(async (error: unknown) => {
      throw await explained(error, servers, patienceMs, signal)
    })
    output.push(...text.split('\n').filter((line) => line !== ''))
  }
  const res = { cmd: commands.map((command) => command.join(' ')), rc: 0, stdout_lines: output }
  return commands.length > 0 ? { changed: true, res } : { skipped: true }
}

/** ansible-galaxy has no good words for a server that hangs, so after a failure the servers are looked at. */
async function explained(
  error: unknown,
  servers: GalaxyServer[],
  patienceMs: number,
  signal: AbortSignal,
): Promise<unknown> {
  if (!(error instanceof CommandFailedError)) return error
  const troubles = await Promise.all(servers.map(({ url }) => whyUnreachable(url, patienceMs, signal)))
  const trouble = troubles.find((one) => one !== null)
  if (!trouble) return error
  return new CommandFailedError(error.command, error.code, error.stdout, error.stderr, `The Galaxy server ${trouble}`)
}

async function existing(path: string): Promise<string | null> {
  return stat(path).then(
    (found) => (found.isDirectory() ? path : null),
    () => null,
  )
}
