import { randomBytes } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { credentials, credentialTypes } from '../../store/schema/catalog.ts'
import type { jobTemplates } from '../../store/schema/templates.ts'
import type { workflowJobTemplates } from '../../store/schema/workflows.ts'
import { type Keyring, open, seal, webhookKeyContext } from '../../store/secrets.ts'
import type { RequestContext, Row } from '../context.ts'
import { ValidationError } from '../errors.ts'
import type { Action, WriteCheck } from '../resource.ts'

/** Templates of either kind that web hooks launch. */
export type HookedTable = typeof jobTemplates | typeof workflowJobTemplates

/** A template as far as its web hook is concerned. */
export interface Hooked extends Row {
  webhookService: string
  webhookKey: string
}

/** A new key, sealed; empty where no service sends hooks. AWX's keys have 50 letters and digits. */
export function freshWebhookKey(keyring: Keyring, template: { id: number; webhookService: string }): string {
  if (template.webhookService === '') return ''
  return seal(keyring, randomBytes(25).toString('hex'), webhookKeyContext(template.id))
}

/** The key in clear; empty where there is none. */
export function readWebhookKey(keyring: Keyring, template: { id: number; webhookKey: string }): string {
  return template.webhookKey === '' ? '' : open(keyring, template.webhookKey, webhookKeyContext(template.id))
}

/** `…/webhook_key/`: shows the key that template and service share, and makes a new one. Both are for those who may edit the template. */
export function webhookKeyAction(table: HookedTable): Action<Hooked> {
  return {
    async GET({ object, context }) {
      return { status: 200, body: { webhook_key: readWebhookKey(context.deps.keyring, object) } }
    },
    async POST({ object, context }) {
      const { keyring } = context.deps
      const webhookKey = freshWebhookKey(keyring, object)
      await context.db.update(table).set({ webhookKey }).where(eq(table.id, object.id))
      return { status: 201, body: { webhook_key: readWebhookKey(keyring, { ...object, webhookKey }) } }
    },
    permission: { GET: 'edit', POST: 'edit' },
    title: 'Webhook Key',
  }
}

/** A template that gets a service, or another one, gets a key; one without a service has none. Runs after the write. */
export async function keepWebhookKey(
  table: HookedTable,
  template: Hooked,
  before: Hooked | undefined,
  { db, deps }: RequestContext,
): Promise<void> {
  if (template.webhookService === (before?.webhookService ?? '')) return
  await db
    .update(table)
    .set({ webhookKey: freshWebhookKey(deps.keyring, template) })
    .where(eq(table.id, template.id))
}

/** A credential for the service's API must be a token of that very service. */
export async function checkWebhookCredential<R>({ merged, context }: WriteCheck<R>): Promise<void> {
  const { webhook_credential: id, webhook_service: service } = merged
  if (typeof id !== 'number') return
  const [type] = await context.db
    .select({ kind: credentialTypes.kind, namespace: credentialTypes.namespace })
    .from(credentials)
    .innerJoin(credentialTypes, eq(credentialTypes.id, credentials.credentialTypeId))
    .where(eq(credentials.id, id))
  if (type?.kind !== 'token') throw ValidationError.on('webhook_credential', 'Must be a Personal Access Token.')
  if (!service || type.namespace !== `${service}_token`) {
    throw ValidationError.on('webhook_credential', 'Must match the selected webhook service.')
  }
}

/** `related.webhook_receiver`: where the service sends its hooks; empty without a service. */
export function receiverLink(path: string, template: Hooked): string {
  return template.webhookService === '' ? '' : `/api/v2/${path}/${template.id}/${template.webhookService}/`
}
