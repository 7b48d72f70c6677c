import { createHash } from 'node:crypto'
import { lstat, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parse } from 'yaml'
import { isMapping } from '../../model/variables.ts'
import { localPlaces } from './requirement-places.ts'
import type { GalaxyCommand, GalaxyServer } from './types.ts'

/** Requirements files in the order and under the task names of AWX's project update. */
const places = [
  { task: 'Fetch galaxy roles from roles/requirements.(yml/yaml)', base: 'roles/requirements', kinds: ['role'] },
  {
    task: 'Fetch galaxy collections from collections/requirements.(yml/yaml)',
    base: 'collections/requirements',
    kinds: ['collection'],
  },
  {
    task: 'Fetch galaxy roles and collections from requirements.(yml/yaml)',
    base: 'requirements',
    kinds: ['role', 'collection'],
  },
] as const

type Kind = 'role' | 'collection'

/** A task of the update, and the project's requirements file that it installs. */
export interface Requirements {
  task: string
  /** Relative to the project; null when there is none. */
  file: string | null
  text: string
  /** What such a file may ask for. */
  kinds: readonly Kind[]
}

/** A requirements file that cannot be used; the message names it. */
export class RequirementsError extends Error {
  override name = 'RequirementsError'
}

/** The project's requirements files, one for each place where AWX looks. */
export async function findRequirements(folder: string): Promise<Requirements[]> {
  return Promise.all(
    places.map(async ({ task, base, kinds }) => {
      for (const file of [`${base}.yml`, `${base}.yaml`]) {
        const text = await readPlainFile(join(folder, file))
        if (text !== null) return { task, file, text, kinds }
      }
      return { task, file: null, text: '', kinds }
    }),
  )
}

/** Far more than anybody writes by hand, in bytes. */
const longestFile = 1024 * 1024

/** Links are not followed: a project must not make the control plane read other files. */
async function readPlainFile(path: string): Promise<string | null> {
  const stat = await lstat(path).catch(() => null)
  if (!stat?.isFile()) return null
  if (stat.size > longestFile) throw new RequirementsError(`${basename(path)} is longer than ${longestFile} bytes.`)
  return readFile(path, 'utf8')
}

function parsed({ file, text }: Requirements): unknown {
  try {
    return parse(text, { logLevel: 'error' })
  } catch (error) {
    throw new RequirementsError(`${file} is not YAML: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Refuses places of this machine that are not the project's: a project from elsewhere has no business there. Throws RequirementsError. */
function refuseOutside(requirements: Requirements): void {
  const [place] = localPlaces(parsed(requirements)).outside
  if (place) {
    throw new RequirementsError(
      `${requirements.file} names "${place.slice(0, 200)}", which is on the control plane and not in the project.`,
    )
  }
}

/** What a file asks for: ansible-galaxy fails when it is asked to install what is not there. Throws RequirementsError. */
function wantedKinds(requirements: Requirements): readonly Kind[] {
  const { kinds } = requirements
  const content = parsed(requirements)
  // A plain list is the old form, which knows roles only; ansible-galaxy itself refuses it for collections.
  if (Array.isArray(content)) return content.length > 0 ? kinds.slice(0, 1) : []
  if (!isMapping(content)) return []
  return kinds.filter((kind) => {
    const list = content[`${kind}s`]
    return Array.isArray(list) && list.length > 0
  })
}

/**
 * Tells sets of requirements apart: equal texts from equal servers give equal content, unless they name files of the project, which are those of
 * one tree.
 */
export function contentHash(requirements: Requirements[], servers: GalaxyServer[], tree: string): string {
  const isOfTree = requirements.some((one) => one.file !== null && namesOwnFiles(one))
  const parts = [requirements.map(({ file, text }) => [file, text]), servers.map(({ url }) => url), isOfTree && tree]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

function namesOwnFiles(requirements: Requirements): boolean {
  try {
    return localPlaces(parsed(requirements)).within.length > 0
  } catch {
    // What cannot be read is told when it is installed.
    return false
  }
}

/** Folders below a content tree. */
export const contentFolders = { role: 'roles', collection: 'collections' } as const

/**
 * The commands that install one requirements file into a content tree; none when it asks for nothing. `mayReachOutside`: the project is itself a
 * repository on this machine. Throws RequirementsError.
 */
export function installCommands(
  galaxy: GalaxyCommand,
  project: string,
  target: string,
  requirements: Requirements,
  mayReachOutside: boolean,
): string[][] {
  if (!mayReachOutside) refuseOutside(requirements)
  return wantedKinds(requirements).map((kind) => {
    const option = kind === 'role' ? '--roles-path' : '--collections-path'
    const from = join(project, requirements.file ?? '')
    return [...galaxy.command, kind, 'install', '-r', from, option, join(target, contentFolders[kind])]
  })
}

/** What ansible-galaxy may use, and how patient it is. */
export interface GalaxyPlaces {
  /** An empty ansible.cfg: the project's own may name programs to run, which have no business on the control plane. */
  config: string
  /** Where it keeps what it likes to keep, and finds no token of anybody else's. */
  home: string
  /** How long a server may be silent, in milliseconds. */
  patienceMs: number
}

/** Environment that tells ansible-galaxy its servers and its places. */
export function galaxyEnvironment(
  galaxy: GalaxyCommand,
  servers: GalaxyServer[],
  { config, home, patienceMs }: GalaxyPlaces,
): Record<string, string> {
  return {
    ...galaxy.env,
    ANSIBLE_CONFIG: config,
    ANSIBLE_HOME: home,
    ANSIBLE_GALAXY_SERVER_TIMEOUT: String(Math.max(Math.ceil(patienceMs / 1000), 1)),
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_FORCE_COLOR: 'False',
    ANSIBLE_GALAXY_DISPLAY_PROGRESS: 'False',
    ...(servers.length > 0
      ? { ANSIBLE_GALAXY_SERVER_LIST: servers.map((_, index) => `server${index}`).join(',') }
      : {}),
    ...Object.fromEntries(
      servers.flatMap(({ url, authUrl, token }, index) => {
        const prefix = `ANSIBLE_GALAXY_SERVER_SERVER${index}`
        return [
          [`${prefix}_URL`, url],
          ...(authUrl ? [[`${prefix}_AUTH_URL`, authUrl]] : []),
          ...(token ? [[`${prefix}_TOKEN`, token]] : []),
        ]
      }),
    ),
  }
}
