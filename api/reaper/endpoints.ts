import type { GroupDebt, ReaperReport } from '../../model/reaper-report.ts'
import { channels } from '../../store/channel.ts'
import { toWireTime } from '../../store/instant.ts'
import { askForPass, lastMeasure, type ReaperPassRow, readPass, readPasses } from '../../store/reaper-passes.ts'
import type { RequestContext } from '../context.ts'
import type { Answer, Endpoint, EndpointRequest } from '../endpoint.ts'
import { NotFoundError, PermissionDeniedError, ValidationError } from '../errors.ts'
import { apiRoot } from '../registry.ts'
import { storedResult } from '../stored-result.ts'
import { loadSummaries } from '../summary.ts'

/** How long a request waits for a pass before it answers with where its report will be. */
const patienceSeconds = 60

const url = `${apiRoot}reaper/`
const dryRunField = {
  type: 'boolean',
  required: false,
  label: 'Dry run',
  help_text: 'Say what would be deleted, ended and given back, and do nothing.',
  default: true,
}

/** `/reaper/`, `/reaper/N/` and `/cleanup_debt/`: what no live workflow owns any more, and how to be rid of it at once. */
export function reaperEndpoints(): Endpoint[] {
  return [
    {
      path: url,
      name: 'Reaper',
      description:
        'Passes of the reaper, which deletes what no live workflow owns; POST asks for one, by default as a dry run.',
      tag: 'installation',
      ownTransaction: true,
      handlers: { GET: listPasses, POST: askNow },
      options: () => ({ actions: { POST: { dry_run: dryRunField } } }),
    },
    {
      path: `${url}:id/`,
      name: 'Reaper Pass',
      description: 'What a pass of the reaper found and did.',
      tag: 'installation',
      handlers: { GET: showPass },
      options: () => ({ actions: {} }),
    },
    {
      path: `${apiRoot}cleanup_debt/`,
      name: 'Cleanup Debt',
      description:
        'Pods that no live workflow owns, and how many seconds ago they should have been gone, by instance group.',
      tag: 'installation',
      handlers: { GET: showDebt },
      options: () => ({ actions: {} }),
    },
  ]
}

async function listPasses({ context }: EndpointRequest): Promise<Answer> {
  mayLook(context)
  const passes = await readPasses(context.db)
  return { status: 200, body: { count: passes.length, next: null, previous: null, results: passes.map(wireOf) } }
}

async function askNow({ context, body }: EndpointRequest): Promise<Answer> {
  const { actor, db } = context
  if (!actor.isSuperuser) throw new PermissionDeniedError()
  const { dry_run: dryRun = true } = body
  if (typeof dryRun !== 'boolean') throw ValidationError.on('dry_run', 'Must be a valid boolean.')
  const { id } = await db.transaction((tx) => askForPass(tx, { dryRun, createdById: actor.id }))
  const finished = await storedResult(context, channels.reaperPasses, patienceSeconds, async () => {
    const pass = await readPass(db, id)
    return pass?.finished ? pass : undefined
  })
  const headers = { Location: `${url}${id}/` }
  if (finished) return { status: 200, body: wireOf(finished), headers }
  const pass = await readPass(db, id)
  return { status: 202, body: pass ? wireOf(pass) : { id, url: `${url}${id}/` }, headers }
}

async function showPass({ context, param }: EndpointRequest): Promise<Answer> {
  mayLook(context)
  const id = Number(param('id'))
  const pass = Number.isInteger(id) && id < 2 ** 31 ? await readPass(context.db, id) : undefined
  if (!pass) throw NotFoundError.of('ReaperPass')
  return { status: 200, body: wireOf(pass) }
}

async function showDebt({ context }: EndpointRequest): Promise<Answer> {
  mayLook(context)
  const last = await lastMeasure(context.db)
  const { debt, clusters } = last?.report ?? ({ debt: [], clusters: [] } satisfies Partial<ReaperReport>)
  const ids = debt.flatMap(({ instance_group }) => instance_group ?? [])
  const groups = await loadSummaries(context.registry.get('instance_groups'), ids, context)
  const sum = (read: (debt: GroupDebt) => number) => debt.reduce((total, one) => total + read(one), 0)
  return {
    status: 200,
    body: {
      // Null: no pass has come to its end yet, so nothing is known.
      measured: last ? toWireTime(last.measured) : null,
      pods: sum(({ pods }) => pods),
      seconds: sum(({ seconds }) => seconds),
      groups: debt.map((one) => ({ ...one, name: groups.get(one.instance_group ?? 0)?.name ?? null })),
      // What was not looked at may hold more.
      unreachable: clusters.filter(({ error }) => error !== ''),
    },
  }
}

function mayLook({ actor }: RequestContext): void {
  if (!actor.isSuperuser && !actor.isSystemAuditor) throw new PermissionDeniedError()
}

function wireOf({ id, trigger, dryRun, created, finished, createdById, report }: ReaperPassRow) {
  return {
    ...{ id, type: 'reaper_pass', url: `${url}${id}/`, dry_run: dryRun, trigger },
    ...{ created: toWireTime(created), finished: finished && toWireTime(finished), created_by: createdById, report },
  }
}
