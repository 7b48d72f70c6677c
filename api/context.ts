import type { Logger } from 'pino'
import type { Database, Store } from '../store/database.ts'
import type { Keyring } from '../store/secrets.ts'
import type { RoleLookup } from './permissions.ts'
import type { Registry } from './registry.ts'
import type { PodShells } from './shell/pod-shells.ts'
import type { Upgrade } from './web-sockets.ts'

/** A row as Drizzle returns it: camel-case keys of the table. Resources narrow it by `typeof table.$inferSelect`. */
export type Row = Record<string, unknown> & { id: number }

/** Database handle or transaction; what resources query through. */
export type Sql = Database

/** Who asks, after authentication. */
export interface Actor {
  id: number
  username: string
  firstName: string
  lastName: string
  isSuperuser: boolean
  isSystemAuditor: boolean
  /** How they authenticated; a `read` scope forbids unsafe methods. */
  via: 'basic' | 'session' | 'token'
  scope: 'read' | 'write'
  /** Key of the session it came by; what changes the password keeps this session. */
  sessionKey?: string
}

/** What the process gives to every request; made once by the composition in cli/. */
export interface ApiDeps {
  store: Store
  /** Seals and opens secrets at rest. */
  keyring: Keyring
  /** AWX's install UUID of this installation. */
  installUuid: string
  /** Name shown in X-API-Node, ping and as the control node. */
  nodeName: string
  /** Folder whose sub-folders are the manual projects. */
  projectsRoot: string
  /** Where people reach this installation; links in messages begin with it. */
  publicUrl: string
  /** Namespace of pods whose group names none. */
  defaultNamespace: string
  /** Modules that ad hoc commands may run; default: AWX's list. */
  adHocModules?: readonly string[]
  log: Logger
  /** Opens shells in pods; without it there are none. */
  shells?: PodShells
  /** Default: nobody has roles. */
  roles?: RoleLookup
  /** Milliseconds since the epoch; default Date.now. Tests set it. */
  clock?: () => number
}

/** Handed to every hook, computed field, action and permission rule of one request. */
export interface RequestContext {
  /** The transaction in writes, the plain handle in reads. */
  db: Sql
  deps: ApiDeps
  actor: Actor
  /** Instant of the request as ISO text in UTC with microseconds, for `created`, `modified`. */
  now: string
  /** Address of whoever is at the other end of the connection; '' where there is none (tests). */
  remoteAddress: string
  /** The request itself, for query and headers; its body was already read. */
  request: Request
  /** Breaks the client's connection; undefined for requests made in the process. */
  cutConnection: (() => void) | undefined
  /** Makes a web socket of the connection; undefined where the client did not ask for one. */
  upgrade: Upgrade | undefined
  /** All resources, compiled. */
  registry: Registry
  /** Ids and rows already loaded in this request, by resource name; keeps lists free of repeated queries. */
  cache: Map<string, unknown>
}
