import { eq, like, or } from 'drizzle-orm'
import type { Prompts } from '../../model/prompts.ts'
import { parseRecurrence } from '../../model/recurrence/parse.ts'
import type { Variables } from '../../model/variables.ts'
import { secretAnswersKey } from '../../store/launch/create-job.ts'
import { sealAnswers } from '../../store/launch/saved-answers.ts'
import { scheduleTimes, toColumn, toIdText } from '../../store/schedules/times.ts'
import { scheduleLabels } from '../../store/schema/labels.ts'
import { scheduleCredentials, scheduleInstanceGroups, schedules } from '../../store/schema/schedules.ts'
import { jobTemplates } from '../../store/schema/templates.ts'
import type { RequestContext } from '../context.ts'
import { ApiError } from '../errors.ts'
import { jobCredentials } from '../jobs/credentials.ts'
import type { JobRow } from '../jobs/fields.ts'
import { secretAnswers } from '../jobs/secret-answers.ts'
import { authorize } from '../permissions.ts'
import type { Action } from '../resource.ts'
import { loadSummaries } from '../summary.ts'
import { insertRow } from '../write.ts'
import { nowOf } from './rules.ts'

/** `/jobs/N/create_schedule/`: a disabled monthly schedule with the prompts that the job was launched with, to be edited further. */
export const createScheduleAction: Action<JobRow> = {
  async GET({ object: job, context }) {
    const body = { can_schedule: (await obstacle(job, context)) === null, prompts: await shownPrompts(job, context) }
    return { status: 200, body }
  },
  async POST({ object: job, context, render }) {
    const refusal = await obstacle(job, context)
    if (refusal) throw new ApiError(400, { error: refusal })
    const id = await makeSchedule(job, context)
    return { status: 201, body: await render('schedules', id), headers: { Location: `/api/v2/schedules/${id}/` } }
  },
  permission: { GET: 'start', POST: 'start' },
  title: 'Job Create Schedule',
  fields: {
    GET: {
      can_schedule: { type: 'field', label: 'Can schedule', filterable: false },
      prompts: { type: 'field', label: 'Prompts', filterable: false },
    },
    POST: {},
  },
}

/** Why the job cannot be made a schedule of, in AWX's words; null if it can. */
async function obstacle(job: JobRow, context: RequestContext): Promise<string | null> {
  const credentials = (await jobCredentials([job.id], context)).get(job.id) ?? []
  if (credentials.some(({ passwords }) => passwords.length > 0)) {
    return 'Cannot create schedule because job requires credential passwords.'
  }
  const [template] =
    job.jobTemplateId === null
      ? []
      : await context.db
          .select({ id: jobTemplates.id })
          .from(jobTemplates)
          .where(eq(jobTemplates.id, job.jobTemplateId))
  return template ? null : 'Cannot create schedule because a related resource is missing.'
}

/** What the job was launched with, without the sealed answers. */
function promptsOf({ launchConfig }: JobRow): Prompts {
  const { [secretAnswersKey]: _sealed, ...prompts } = launchConfig
  return prompts as Prompts
}

/** The prompts with names beside the ids. */
async function shownPrompts(job: JobRow, context: RequestContext): Promise<Record<string, unknown>> {
  const { inventory, execution_environment, credentials, labels, instance_groups, ...plain } = promptsOf(job)
  const named = async (resource: string, ids: readonly number[]) => {
    const found = await loadSummaries(context.registry.get(resource), ids, context)
    return ids.flatMap((id) => found.get(id) ?? [])
  }
  const one = async (resource: string, id: number) => (await named(resource, [id]))[0]
  return {
    ...plain,
    ...(inventory ? { inventory: await one('inventory', inventory) } : {}),
    ...(execution_environment
      ? { execution_environment: await one('execution_environments', execution_environment) }
      : {}),
    ...(credentials?.length ? { credentials: await named('credentials', credentials) } : {}),
    ...(labels?.length ? { labels: await named('labels', labels) } : {}),
    ...(instance_groups?.length ? { instance_groups: await named('instance_groups', instance_groups) } : {}),
  }
}

async function makeSchedule(job: JobRow, context: RequestContext): Promise<number> {
  const { db } = context
  const templateId = job.jobTemplateId ?? 0
  await authorize(context, 'schedule', context.registry.get('job_templates'), { id: templateId })
  const now = Math.floor(nowOf(context))
  const rrule = `DTSTART:${toIdText(now).replace(/[-:]/g, '')} RRULE:FREQ=MONTHLY;INTERVAL=1`
  const prompts = promptsOf(job)
  const row = await insertRow(
    context.registry.get('schedules'),
    {
      name: await freeName(`Auto-generated schedule from job ${job.id}`, context),
      unifiedJobTemplateId: templateId,
      enabled: false,
      rrule,
      ...scheduleTimes(parseRecurrence(rrule), false, now),
      ruleSince: toColumn(now),
      extraData: savedAnswers(job, templateId, context),
      inventoryId: prompts.inventory ?? null,
      executionEnvironmentId: prompts.execution_environment ?? null,
      scmBranch: prompts.scm_branch ?? null,
      jobType: prompts.job_type ?? null,
      jobTags: prompts.job_tags ?? null,
      skipTags: prompts.skip_tags ?? null,
      limit: prompts.limit ?? null,
      diffMode: prompts.diff_mode ?? null,
      verbosity: prompts.verbosity ?? null,
      forks: prompts.forks ?? null,
      jobSliceCount: prompts.job_slice_count ?? null,
      timeout: prompts.timeout ?? null,
      priority: prompts.priority ?? null,
    },
    context,
    {},
  )
  const scheduleId = row.id
  const pairs = <Key extends string>(ids: readonly number[] = [], key: Key) =>
    ids.map((id) => ({ scheduleId, [key]: id }) as { scheduleId: number } & Record<Key, number>)
  const credentials = pairs(prompts.credentials, 'credentialId')
  if (credentials.length > 0) await db.insert(scheduleCredentials).values(credentials)
  const labels = pairs(prompts.labels, 'labelId')
  if (labels.length > 0) await db.insert(scheduleLabels).values(labels)
  const groups = pairs(prompts.instance_groups, 'instanceGroupId').map((pair, position) => ({ ...pair, position }))
  if (groups.length > 0) await db.insert(scheduleInstanceGroups).values(groups)
  return scheduleId
}

/** Variables as launched; answers to password questions are sealed anew, because they open only where they were sealed for. */
function savedAnswers(job: JobRow, templateId: number, context: RequestContext): Variables {
  const shown = promptsOf(job).extra_vars ?? {}
  const answers = secretAnswers(job, context)
  const asked = Object.fromEntries(Object.entries(answers).filter(([name]) => name in shown))
  return sealAnswers(context.deps.keyring, templateId, Object.keys(asked), { ...shown, ...asked })
}

/** The name, with a number where a schedule has it already. */
async function freeName(name: string, { db }: RequestContext): Promise<string> {
  const rows = await db
    .select({ name: schedules.name })
    .from(schedules)
    .where(or(eq(schedules.name, name), like(schedules.name, `${name} - number %`)))
  const taken = new Set(rows.map((row) => row.name))
  if (!taken.has(name)) return name
  let number = 1
  while (taken.has(`${name} - number ${number}`)) number++
  return `${name} - number ${number}`
}
