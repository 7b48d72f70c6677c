import { eq } from 'drizzle-orm'
import { hostFilterProblem } from '../../model/host-filter.ts'
import { storedVariables } from '../../model/variables.ts'
import { inventories } from '../../store/schema/inventory.ts'
import { projects } from '../../store/schema/templates.ts'
import type { inventorySources } from '../../store/schema/updates.ts'
import type { RequestContext } from '../context.ts'
import { ValidationError } from '../errors.ts'
import { authorize } from '../permissions.ts'
import type { WriteCheck } from '../resource.ts'
import { credentialProblem, kindOfCredential } from './credentials.ts'

type Source = typeof inventorySources.$inferSelect

/** What may be changed of the source that comes with a constructed inventory. */
const editableWhenConstructed = new Set(['source_vars', 'update_cache_timeout', 'limit', 'verbosity'])
/** Environment that a source's variables must not change (AWX's list). */
const prohibitedVariables = ['HOME', 'USER', '_', 'TERM', 'PATH']

/** AWX's rules over the fields of an inventory source, and that its host filter is a regular expression. */
export async function checkInventorySource(check: WriteCheck<Source>): Promise<void> {
  const { input, merged, before, context } = check
  if (!before) await requirePlainInventory(merged.inventory, context)
  const project = await projectOf(merged.source_project, context)
  if (project?.scmType === '' && 'source_project' in input)
    throw ValidationError.on('source_project', 'Cannot use manual project for SCM-based inventory.')
  if (before?.source === 'constructed') checkConstructed(check)
  else checkSource(check)
  if (merged.scm_branch && !project?.allowOverride)
    throw ValidationError.on('scm_branch', 'Project does not allow overriding branch.')
  checkTexts(merged)
  if ('credential' in input || 'source' in input) await checkCredential(check)
}

async function requirePlainInventory(id: unknown, context: RequestContext): Promise<void> {
  const [inventory] = await context.db
    .select({ kind: inventories.kind })
    .from(inventories)
    .where(eq(inventories.id, Number(id)))
  if (inventory?.kind) {
    throw new ValidationError({
      inventory: { detail: 'Cannot create Inventory Source for Smart or Constructed Inventories' },
    })
  }
}

async function projectOf(id: unknown, context: RequestContext) {
  if (typeof id !== 'number') return undefined
  const [project] = await context.db.select().from(projects).where(eq(projects.id, id))
  return project
}

function checkConstructed({ input, before }: WriteCheck<Source>): void {
  const stored: Record<string, unknown> = {
    name: before?.name,
    description: before?.description,
    source: before?.source,
    overwrite: before?.overwrite,
    overwrite_vars: before?.overwriteVars,
    update_on_launch: before?.updateOnLaunch,
  }
  for (const [field, value] of Object.entries(input)) {
    if (editableWhenConstructed.has(field) || (field in stored ? stored[field] === value : !value)) continue
    if (field === 'timeout' || field === 'execution_environment') continue
    throw new ValidationError({ error: [`Cannot change field '${field}' on a constructed inventory source.`] })
  }
}

function checkSource({ merged }: WriteCheck<Source>): void {
  const { source } = merged
  if (!source) throw ValidationError.on('source', 'This field may not be blank.')
  if (source === 'constructed') throw new ValidationError({ error: ['constructed not a valid source for inventory'] })
  if (source === 'scm') {
    if (typeof merged.source_project !== 'number')
      throw ValidationError.on('source_project', 'Project required for scm type sources.')
    return
  }
  const redundant = ['source_project', 'source_path', 'scm_branch'].filter((field) => merged[field])
  if (redundant.length > 0) throw ValidationError.on('detail', `Cannot set ${redundant.join(' ')} if not SCM type.`)
}

function checkTexts(merged: Record<string, unknown>): void {
  const prohibited = Object.keys(storedVariables(merged.source_vars)).find((name) => prohibitedVariables.includes(name))
  if (prohibited) throw ValidationError.on('source_vars', `\`${prohibited}\` is a prohibited environment variable`)
  const problem = hostFilterProblem(String(merged.host_filter ?? ''))
  if (problem) throw ValidationError.on('host_filter', `This is not a regular expression: ${problem}`)
  if (/(^|\/)\.\.(\/|$)/.test(String(merged.source_path ?? '')))
    throw ValidationError.on('source_path', 'The path must not lead out of the project: leave out "..".')
}

async function checkCredential({ input, merged, before, context }: WriteCheck<Source>): Promise<void> {
  const id = input.credential
  if (typeof id === 'number') {
    const kind = await kindOfCredential(id, context)
    if (!kind) throw ValidationError.on('credential', `Invalid pk "${id}" - object does not exist.`)
    await authorize(context, 'use', context.registry.get('credentials'), { id })
    const problem = credentialProblem(String(merged.source), kind)
    if (problem) throw ValidationError.on('credential', problem)
    return
  }
  // One that was attached before goes on to be there when the source changes.
  const problem = before ? null : credentialProblem(String(merged.source), null)
  if (problem) throw ValidationError.on('credential', problem)
}
