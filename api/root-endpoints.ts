import { asc, eq } from 'drizzle-orm'
import { instanceGroups } from '../store/schema/catalog.ts'
import { projects } from '../store/schema/templates.ts'
import type { RequestContext } from './context.ts'
import type { Answer, Endpoint } from './endpoint.ts'
import { readOptions, typeChoice } from './field-options.ts'
import { listObjects } from './list.ts'
import { productVersion } from './middleware.ts'
import { listOptions } from './options.ts'
import { projectFolders } from './projects/folder.ts'
import { apiRoot, type Registry } from './registry.ts'

/** AWX's order of the map at `/api/v2/`; names without a resource here are left out. */
const mapOrder = [
  'ping',
  'instances',
  'instance_groups',
  'config',
  'settings',
  'me',
  'dashboard',
  'organizations',
  'users',
  'execution_environments',
  'projects',
  'project_updates',
  'teams',
  'credentials',
  'credential_types',
  'tokens',
  'metrics',
]

/** Roots, ping, config and me: what belongs to no resource. */
export function rootEndpoints(registry: Registry): Endpoint[] {
  const absent = absentCollections.filter(({ name }) => !registry.find(name))
  return [pingEndpoint(), configEndpoint(), meEndpoint(registry), mapEndpoint(registry), ...absent.map(absentEndpoint)]
}

/**
 * Collections of AWX that are not here yet, and which `awx` asks for their roles by OPTIONS before any command on users; refused that, it ends.
 * They answer it, with nothing that can be done and no roles, and nothing else.
 */
const absentCollections = [{ name: 'teams', title: 'Team List', type: 'team' }]

function absentEndpoint({ name, title, type }: (typeof absentCollections)[number]): Endpoint {
  return {
    path: `${apiRoot}${name}/`,
    name: title,
    description: 'Not in this release.',
    tag: name,
    handlers: {},
    options: () => ({ actions: {}, types: [type], object_roles: [] }),
  }
}

function plain(
  path: string,
  name: string,
  description: string,
  get: (context: RequestContext) => Promise<unknown> | unknown,
): Endpoint {
  return {
    path,
    name,
    description,
    tag: 'installation',
    handlers: { GET: async ({ context }): Promise<Answer> => ({ status: 200, body: await get(context) }) },
    options: () => ({ actions: {} }),
  }
}

/** `GET /api/v2/`: name → URL of everything there is, in AWX's order; the CLI's commands are these names. */
function mapEndpoint(registry: Registry): Endpoint {
  const paths = new Map<string, string>(['ping', 'config', 'me', 'metrics'].map((name) => [name, `${apiRoot}${name}/`]))
  for (const model of registry.models) if (!model.resource.detailsOnly) paths.set(model.name, model.url)
  const names = [
    ...mapOrder.filter((name) => paths.has(name)),
    ...[...paths.keys()].filter((name) => !mapOrder.includes(name)),
  ]
  const map = Object.fromEntries(names.map((name) => [name, paths.get(name)]))
  return { ...plain(apiRoot, 'Version 2', 'Everything there is, by name.', () => map), anonymous: true }
}

function pingEndpoint(): Endpoint {
  const get = async ({ db, deps, now }: RequestContext) => {
    const groups = await db.select().from(instanceGroups).orderBy(asc(instanceGroups.name))
    return {
      ha: false,
      version: productVersion,
      active_node: deps.nodeName,
      install_uuid: deps.installUuid,
      instances: [
        {
          node: deps.nodeName,
          node_type: 'control',
          uuid: deps.installUuid,
          heartbeat: now,
          capacity: 0,
          version: productVersion,
        },
      ],
      instance_groups: groups.map((group) => ({
        name: group.name,
        capacity: group.maxForks,
        instances: group.name === 'controlplane' ? [deps.nodeName] : [],
      })),
    }
  }
  return { ...plain(`${apiRoot}ping/`, 'Ping', 'Which installation answers, without a login.', get), anonymous: true }
}

const becomeMethods = [
  ['sudo', 'Sudo'],
  ['su', 'Su'],
  ['pbrun', 'Pbrun'],
  ['pfexec', 'Pfexec'],
  ['dzdo', 'DZDO'],
  ['pmrun', 'Pmrun'],
  ['runas', 'Runas'],
  ['enable', 'Enable'],
  ['doas', 'Doas'],
  ['ksu', 'Ksu'],
  ['machinectl', 'Machinectl'],
  ['sesu', 'Sesu'],
]

function configEndpoint(): Endpoint {
  return plain(`${apiRoot}config/`, 'Configuration', 'Version and site settings.', async ({ actor, db, deps }) => ({
    time_zone: 'UTC',
    license_info: { license_type: 'open', valid_key: true, subscription_name: 'OPEN', product_name: 'AWX' },
    version: productVersion,
    eula: '',
    analytics_status: 'off',
    analytics_collectors: {},
    become_methods: becomeMethods,
    ui_next: false,
    ...(actor.isSuperuser || actor.isSystemAuditor
      ? {
          project_base_dir: deps.projectsRoot,
          project_local_paths: await freeFolders(db, deps.projectsRoot),
          custom_virtualenvs: [],
        }
      : {}),
  }))
}

/** Folders below the projects root that no project uses yet. */
async function freeFolders(db: RequestContext['db'], root: string): Promise<string[]> {
  const rows = await db.select({ localPath: projects.localPath }).from(projects)
  return await projectFolders(
    root,
    rows.map(({ localPath }) => localPath),
  )
}

/** `GET /api/v2/me/`: a list with the caller as its one row. */
function meEndpoint(registry: Registry): Endpoint {
  const users = registry.get('users')
  const { id } = users.columns
  if (!id) throw new Error('users have no id')
  return {
    ...plain(`${apiRoot}me/`, 'Me', 'The caller.', (context) =>
      listObjects(users, context, { where: eq(id, context.actor.id) }),
    ),
    options: (context) => listOptions(users, ['GET'], context),
    documents: { list: true, answer: readOptions(users, [typeChoice(users)], 'list') },
  }
}
