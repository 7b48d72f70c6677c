import { and, eq, inArray } from 'drizzle-orm'
import { promptFlags } from '../../model/prompts.ts'
import { parseVariables, type Variables } from '../../model/variables.ts'
import { camelCase } from '../../store/camel-case.ts'
import type { Database } from '../../store/database.ts'
import { decideJobTemplateLaunch, makeLaunchedJob } from '../../store/launch/job-template.ts'
import type { TemplateRow } from '../../store/launch/sources.ts'
import { hosts } from '../../store/schema/inventory.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { jobTemplates } from '../../store/schema/templates.ts'
import { parseJsonObject, readText } from '../body.ts'
import type { RequestContext } from '../context.ts'
import { ApiError, PermissionDeniedError } from '../errors.ts'
import { authorize } from '../permissions.ts'
import { apiRoot } from '../registry.ts'
import type { Action, ActionInput, ActionResult } from '../resource.ts'
import { matchCaller } from './caller.ts'
import { refreshInventory } from './refresh-inventory.ts'
import { same } from './signature.ts'

/** `/job_templates/N/callback/`: a host that has just been made asks for its play, with the template's key instead of a login. */
export const callbackAction: Action<TemplateRow> = {
  async GET({ object: template, context }) {
    await authorize(context, 'read', context.registry.get('job_templates'), template)
    const matching = await matchingHosts(template, context)
    const names = matching.map(({ name }) => name)
    return { status: 200, body: { host_config_key: template.hostConfigKey, matching_hosts: names } }
  },
  POST: callBack,
  anonymous: true,
  permission: null,
  ownBody: true,
  // Names are looked up, which may take seconds.
  ownTransaction: true,
  link: ({ hostConfigKey }) => hostConfigKey !== '',
  title: 'Job Template Callback',
}

async function callBack({ object: template, context }: ActionInput<TemplateRow>): Promise<ActionResult> {
  const body = await readBody(context.request)
  const { host_config_key: key } = body
  if (typeof key !== 'string' || key === '' || !same(key, template.hostConfigKey)) throw new PermissionDeniedError()
  const [host, ...others] = await findHosts(template, context)
  if (!host) throw refusal('No matching host could be found!')
  if (others.length > 0) throw refusal('Multiple hosts matched the request!')
  const given = body.extra_vars === undefined || body.extra_vars === null ? undefined : readVariables(body.extra_vars)
  // Who gives variables launches as a user does; who gives none needs a template that asks for nothing.
  if (!given && Object.values(promptFlags).some((flag) => template[camelCase(flag) as keyof TemplateRow] === true)) {
    throw refusal('Cannot start automatically, user input required!')
  }
  const { keyring } = context.deps
  const prompts = { extra_vars: withoutAnsible(given ?? {}) }
  return await context.db.transaction(async (tx) => {
    const launch = await decideJobTemplateLaunch({ db: tx, keyring }, template, prompts)
    if (!launch.decision.ok) throw refusal('Cannot start automatically, user input required!', launch.decision.errors)
    await refuseWhileActive(template, host.name, tx)
    const { accepted } = launch.decision
    const job = await makeLaunchedJob(
      tx,
      keyring,
      launch,
      { ...launch.decision, accepted: { ...accepted, limit: host.name } },
      { launchType: 'callback', createdById: null },
      'never',
    )
    return { status: 201, headers: { Location: `${apiRoot}jobs/${job.id}/` } }
  })
}

/** One job for a host at a time, so that one that calls again and again does not fill the queue. */
async function refuseWhileActive(template: TemplateRow, limit: string, db: Database): Promise<void> {
  // Two calls at once: the second waits here for the first to commit.
  await db.select({ id: jobTemplates.id }).from(jobTemplates).where(eq(jobTemplates.id, template.id)).for('update')
  const active = await db
    .select({ id: unifiedJobs.id })
    .from(unifiedJobs)
    .where(
      and(
        eq(unifiedJobs.jobTemplateId, template.id),
        eq(unifiedJobs.limit, limit),
        inArray(unifiedJobs.status, ['pending', 'waiting', 'running']),
      ),
    )
    .limit(1)
  if (active.length > 0) throw refusal('Host callback job already pending.')
}

/** Hosts that the caller may be; where that is not exactly one, the inventory is brought up to date first. */
async function findHosts(template: TemplateRow, context: RequestContext) {
  const known = await matchingHosts(template, context)
  if (known.length === 1 || template.inventoryId === null) return known
  return (await refreshInventory(template.inventoryId, context)) ? await matchingHosts(template, context) : known
}

async function matchingHosts(template: TemplateRow, { db, remoteAddress }: RequestContext) {
  if (template.inventoryId === null) return []
  const rows = await db
    .select({ id: hosts.id, name: hosts.name, variables: hosts.variables })
    .from(hosts)
    .where(eq(hosts.inventoryId, template.inventoryId))
  return await matchCaller(remoteAddress, rows)
}

/** JSON, or a form as curl sends it; a form brings no variables. */
async function readBody(request: Request): Promise<Record<string, unknown>> {
  const text = await readText(request)
  const type = request.headers.get('content-type') ?? ''
  if (type.startsWith('application/x-www-form-urlencoded')) {
    return { host_config_key: new URLSearchParams(text).get('host_config_key') ?? '' }
  }
  return text === '' ? {} : parseJsonObject(text)
}

function readVariables(given: unknown): Variables {
  const parsed = parseVariables(given)
  if (!parsed.ok) throw new ApiError(400, { extra_vars: [parsed.message] })
  return parsed.value
}

/** A host that calls does not choose how Ansible connects. */
function withoutAnsible(variables: Variables): Variables {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !name.startsWith('ansible_')))
}

const refusal = (msg: string, errors?: Record<string, unknown>) => new ApiError(400, errors ? { msg, errors } : { msg })
