import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { encrypted } from '../../model/encrypted.ts'
import type { Prompts } from '../../model/prompts.ts'
import { savedPromptErrors } from '../../model/saved-prompts.ts'
import type { SurveyQuestion } from '../../model/survey.ts'
import { parseVariables, type Variables } from '../../model/variables.ts'
import { openAnswers, sealAnswers } from '../../store/launch/saved-answers.ts'
import { loadPromptRules, type PromptTarget } from '../../store/launch/saved-prompts.ts'
import {
  type NodeTemplateType,
  workflowApprovalTemplates,
  type workflowJobTemplateNodes,
} from '../../store/schema/workflows.ts'
import { isSealed, reservedBeginning } from '../../store/secrets.ts'
import { unifiedJobTemplates } from '../../store/unified-templates.ts'
import type { RequestContext } from '../context.ts'
import { ValidationError } from '../errors.ts'
import type { WriteCheck } from '../resource.ts'
import { promptFields } from './node-fields.ts'

/** A node of a workflow job template as stored. */
export type TemplateNodeRow = typeof workflowJobTemplateNodes.$inferSelect

const promptNames = Object.keys(promptFields)

/**
 * Rules of a node's prompts: what its template does not take is refused now, not when it runs. Required answers may be missing: they may come with the
 * launch. Leaves in `input` what is to be stored, secrets still in clear.
 */
export async function checkNode(check: WriteCheck<TemplateNodeRow>): Promise<void> {
  const { input, context, before } = check
  if ('extra_data' in input) input.extra_data = readVariables(input.extra_data)
  if (input.job_type === '') input.job_type = null
  const target = await findTarget(check)
  if (!target) {
    // Without a template there is nothing that could take prompts; AWX drops them.
    for (const name of promptNames) delete input[name]
    return
  }
  const store = { db: context.db, keyring: context.deps.keyring }
  const rules = await loadPromptRules(store, target)
  if (!rules) return
  const { kept, stands } = keptSecrets(target, before)
  if ('extra_data' in input) input.extra_data = withKept(input.extra_data as Variables, rules.survey, kept)
  if (!promptNames.some((name) => name in input)) return
  const merged = { ...check.merged, ...input }
  const variables = (merged.extra_data ?? {}) as Variables
  const readable = stands ? openAnswers(store.keyring, target.id, variables) : withoutSealed(variables)
  const prompts = promptsOf({ ...merged, extra_data: readable })
  const errors = savedPromptErrors(rules.taker, prompts, false)
  if (Object.keys(errors).length > 0) throw new ValidationError(errors)
}

/** Columns that follow: the kind of the template, an identifier of its own, sealed answers. */
export async function prepareNode(
  values: Record<string, unknown>,
  check: WriteCheck<TemplateNodeRow>,
): Promise<Record<string, unknown>> {
  const { before, context, input } = check
  const target = await findTarget(check)
  const identifier =
    before === undefined || 'identifier' in input ? { identifier: String(values.identifier ?? '') || randomUUID() } : {}
  const more = { ...values, templateType: target?.type ?? null, ...identifier }
  if (!target) return more
  if (!('extra_data' in input)) {
    // Answers to another template's questions open nowhere else.
    const { stands } = keptSecrets(target, before)
    if (stands || !before) return more
    return { ...more, extraData: withoutSealed(before.extraData) }
  }
  const rules = await loadPromptRules({ db: context.db, keyring: context.deps.keyring }, target)
  const passwords = (rules?.survey ?? []).filter(({ type }) => type === 'password').map(({ variable }) => variable)
  return {
    ...more,
    extraData: sealAnswers(context.deps.keyring, target.id, passwords, input.extra_data as Variables),
  }
}

/** The approval that a node asked for goes with it. */
export async function dropApproval(
  node: Pick<TemplateNodeRow, 'templateType' | 'unifiedJobTemplateId'>,
  { db }: RequestContext,
): Promise<void> {
  if (node.templateType !== 'workflow_approval_template' || node.unifiedJobTemplateId === null) return
  await db.delete(workflowApprovalTemplates).where(eq(workflowApprovalTemplates.id, node.unifiedJobTemplateId))
}

async function findTarget({ merged, context }: WriteCheck<TemplateNodeRow>): Promise<PromptTarget | null> {
  const id = merged.unified_job_template
  if (typeof id !== 'number') return null
  const [row] = await context.db
    .select({ type: unifiedJobTemplates.type })
    .from(unifiedJobTemplates)
    .where(eq(unifiedJobTemplates.id, id))
  return row ? { id, type: row.type as NodeTemplateType } : null
}

function readVariables(given: unknown): Variables {
  const parsed = parseVariables(given)
  if (!parsed.ok) throw ValidationError.on('extra_data', parsed.message)
  for (const [name, value] of Object.entries(parsed.value)) {
    if (isSealed(value)) throw ValidationError.on('extra_data', `${name}: ${reservedBeginning}`)
  }
  return parsed.value
}

/** Sealed answers that the node has already; they stand while its template stays the same. */
function keptSecrets(target: PromptTarget, before: TemplateNodeRow | undefined): { kept: Variables; stands: boolean } {
  const stands = before?.unifiedJobTemplateId === target.id
  return { kept: stands ? before.extraData : {}, stands: stands || before === undefined }
}

/** `$encrypted$` stands for the answer that is stored, or for the question's default. */
function withKept(given: Variables, survey: readonly SurveyQuestion[], kept: Variables): Variables {
  const result: Variables = {}
  for (const [name, value] of Object.entries(given)) {
    if (value !== encrypted) {
      result[name] = value
      continue
    }
    const question = survey.find(({ variable, type }) => variable === name && type === 'password')
    if (!question) {
      throw ValidationError.on('extra_data', `"$encrypted$ is a reserved keyword, may not be used for ${name}."`)
    }
    if (isSealed(kept[name])) result[name] = kept[name]
    else if (!question.default) {
      throw ValidationError.on('extra_data', `Provided variable ${name} has no database value to replace with.`)
    }
  }
  return result
}

function withoutSealed(variables: Variables): Variables {
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => !isSealed(value)))
}

/** What the node says, by the names of a launch. */
function promptsOf(wire: Record<string, unknown>): Prompts {
  const entries = promptNames
    .filter((name) => name !== 'extra_data' && wire[name] !== null && wire[name] !== undefined)
    .map((name) => [name, wire[name]])
  return { ...Object.fromEntries(entries), extra_vars: wire.extra_data }
}
