import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { Logger } from 'pino'

/** A row as Drizzle returns it: camel-case keys of the table. Resources narrow it by `typeof table.$inferSelect`. */
export type Row = Record<string, unknown> & { id: number }

/** Database handle or transaction; what resources query through. */
export type Sql = PgDatabase<PgQueryResultHKT>

/** Who asks, after authentication. */
export interface Actor {
  id: number
  username: string
  isSuperuser: boolean
  isSystemAuditor: boolean
  /** How they authenticated; a `read` scope forbids unsafe methods. */
  via: 'basic' | 'session' | 'token'
  scope: 'read' | 'write'
}

/** What the process gives to every request; made once by the composition in cli/. */
export interface ApiDeps {
  /** Handle of store/database.ts. */
  db: Sql
  /** Keyring of store/secrets.ts, handed through to `seal` and `open`; the API never looks inside. */
  keyring: unknown
  /** AWX's install UUID of this installation. */
  installUuid: string
  /** Name shown in X-API-Node, ping and as the control node. */
  nodeName: string
  log: Logger
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
  /** The request itself, for query and headers. */
  request: Request
  /** Ids and rows already loaded in this request, by resource name; keeps lists free of repeated queries. */
  cache: Map<string, unknown>
}
