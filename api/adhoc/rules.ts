import { eq } from 'drizzle-orm'
import { storedVariables } from '../../model/variables.ts'
import { storedPasswordsAsked } from '../../store/launch/stored-passwords.ts'
import { credentials, credentialTypes } from '../../store/schema/catalog.ts'
import { inventories } from '../../store/schema/inventory.ts'
import type { RequestContext } from '../context.ts'
import { BadRequestError, ValidationError } from '../errors.ts'
import { authorize } from '../permissions.ts'
import type { WriteCheck } from '../resource.ts'

type Body = Record<string, unknown>

/** Modules that do nothing without arguments. */
const needArguments = new Set(['command', 'shell'])

/**
 * What AWX looks at before any field of a new command: that its credential and inventory exist, and that the passwords its credential asks for
 * are in the body, by their own names or under `credential_passwords`.
 */
export async function receiveAdHocCommand(body: Body, context: RequestContext): Promise<void> {
  const credential = await namedCredential(body.credential, context)
  if (credential) {
    const given = givenPasswords(body, credential.passwords)
    if (credential.passwords.some((name) => !given[name])) throw missingPasswords(credential.passwords)
    await authorize(context, 'use', context.registry.get('credentials'), { id: credential.id })
  }
  const inventory = idIn(body.inventory)
  if (inventory === undefined) return
  const [row] = await context.db.select().from(inventories).where(eq(inventories.id, inventory))
  if (!row) throw new BadRequestError('Inventory matching query does not exist.')
  await authorize(context, 'adhoc', context.registry.get('inventory'), row)
}

/** 400 of a command whose credential asks for passwords that were not given. */
export function missingPasswords(names: readonly string[]): ValidationError {
  return new ValidationError({ passwords_needed_to_start: names })
}

/** The passwords among a body's values that a credential asks for. */
export function givenPasswords(body: Body, asked: readonly string[]): Record<string, string> {
  const nested = body.credential_passwords
  const from = { ...(typeof nested === 'object' && nested !== null ? (nested as Body) : {}), ...body }
  return Object.fromEntries(
    asked.flatMap((name) => {
      const value = from[name]
      return typeof value === 'string' && value !== '' ? [[name, value]] : []
    }),
  )
}

async function namedCredential(value: unknown, context: RequestContext) {
  const id = idIn(value)
  if (id === undefined) return undefined
  const found = await credentialOf(id, context)
  if (!found) throw new BadRequestError('Credential matching query does not exist.')
  return found
}

/** A credential with its kind and the passwords it asks for at launch. */
export async function credentialOf(id: number, context: RequestContext) {
  const [row] = await context.db
    .select({ id: credentials.id, inputs: credentials.inputs, kind: credentialTypes.kind })
    .from(credentials)
    .innerJoin(credentialTypes, eq(credentialTypes.id, credentials.credentialTypeId))
    .where(eq(credentials.id, id))
  return row && { id: row.id, kind: row.kind, passwords: storedPasswordsAsked(context.deps.keyring, row) }
}

/** An id as a body may write it; undefined for what the field's own rules complain about. */
function idIn(value: unknown): number | undefined {
  const id = typeof value === 'number' ? value : typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : 0
  return Number.isInteger(id) && id > 0 && id <= 2147483647 ? id : undefined
}

/** Rules over the fields of a new command, in AWX's words; the last two are complaints that AWX makes only once the command runs. */
export async function checkAdHocCommand({ merged, context }: WriteCheck): Promise<void> {
  const errors: Record<string, string[]> = {}
  const inventory = await usableInventory(merged.inventory, context)
  if (!inventory) errors.inventory = ['No valid inventory.']
  if (typeof merged.credential !== 'number') errors.credential = ['This field cannot be blank.']
  else if ((await credentialOf(merged.credential, context))?.kind !== 'ssh')
    errors.credential = ['You must provide a machine / SSH credential.']
  const moduleName = String(merged.module_name ?? '')
  const moduleArgs = String(merged.module_args ?? '')
  if (needArguments.has(moduleName) && moduleArgs === '')
    errors.module_args = [`No argument passed to ${moduleName} module.`]
  else if (/\{\{.*?\}\}|\{%.*?%\}/s.test(moduleArgs)) errors.module_args = ['Inline Jinja variables are not allowed.']
  const reserved = Object.keys(storedVariables(merged.extra_vars)).filter((name) => name.startsWith('ansible_'))
  if (reserved.length > 0) {
    errors.extra_vars = [`${reserved.sort().reverse().join(', ')} are prohibited from use in ad hoc commands.`]
  }
  if (/^\s*-/.test(String(merged.limit ?? '')))
    errors.limit = ['A host pattern cannot begin with a dash, which would make it an option.']
  if (Object.keys(errors).length > 0) throw new ValidationError(errors)
}

async function usableInventory(id: unknown, context: RequestContext): Promise<boolean> {
  if (typeof id !== 'number') return false
  const [row] = await context.db
    .select({ gone: inventories.pendingDeletion })
    .from(inventories)
    .where(eq(inventories.id, id))
  return row !== undefined && !row.gone
}
