import { blocksOf, type GroupLoad } from '../../model/group-load.ts'
import { isFinal } from '../../model/job.ts'
import { estimateStart, type Place, type StartEstimate } from '../../model/place-in-line.ts'
import { secondsOf, stagesOf } from '../../model/waited.ts'
import { explainWaiting, type Waiting, type WaitingJob, type WaitReason, waitReasons } from '../../model/waiting.ts'
import { heldTimes } from '../../store/group-load.ts'
import { toWireTime } from '../../store/instant.ts'
import {
  type AttemptTimes,
  type Awaited,
  activeJobsOfNodes,
  attemptTimes,
  awaitedJobs,
  dependenciesOf,
  turnOf,
} from '../../store/waited.ts'
import type { RequestContext } from '../context.ts'
import type { Action } from '../resource.ts'
import type { JobRow } from './fields.ts'
import { passedOverOnWire } from './passed-over.ts'
import { explanationOf, loadWaiting } from './waiting.ts'

/** What a job waits for at this moment. */
interface Now extends Omit<Waiting, 'since'> {
  since: string | null
  waitsFor: Awaited[]
  groups: GroupNow[]
}

interface GroupNow {
  load: GroupLoad
  blocks: ReturnType<typeof blocksOf>
  place: Place | null
  estimate: StartEstimate
}

/**
 * `…/waiting/` of every kind of job: what it waits for, since when, its place in line and when it may start; and what it waited for before, with how long each
 * took. The sentence is that of `job_explanation`.
 */
export const waitingAction: Action<JobRow> = {
  async GET({ object: job, context }) {
    const attempts = await attemptTimes(context.db, job.id)
    const now = await lookAt(job, attempts, context)
    const foremost = now?.groups.reduce<GroupNow | null>(better, null) ?? null
    return {
      status: 200,
      body: {
        waiting: now !== null,
        status: job.status,
        reason: now?.reason ?? null,
        explanation: now?.explanation ?? '',
        since: toWireTime(now?.since ?? null),
        place: foremost?.place?.place ?? null,
        place_is_exact: foremost?.place ? !foremost.place.shared : null,
        ...startOnWire(foremost?.estimate ?? null, context),
        groups: (now?.groups ?? []).map((group, index) => groupOnWire(group, index, context)),
        waits_for: (now?.waitsFor ?? []).map((other) => awaitedOnWire(other, context)),
        waited: await waitedOnWire(job, attempts, context),
        passed_over: passedOverOnWire(job),
      },
    }
  },
  fields: {
    GET: {
      waiting: { type: 'boolean', help_text: 'Whether it waits for anything at this moment.' },
      status: { type: 'string' },
      reason: { type: 'choice', choices: waitReasons.map((reason) => [reason, reason]), help_text: 'In one word.' },
      explanation: { type: 'string', help_text: 'In one sentence, as in job_explanation.' },
      since: { type: 'datetime', help_text: 'Since when it waits for that.' },
      place: { type: 'integer', help_text: 'Its place in line, where it stands foremost; 1 is next.' },
      place_is_exact: {
        type: 'boolean',
        help_text: 'False where jobs of other organizations wait too, and fair shares decide who is next.',
      },
      estimated_start: { type: 'datetime', help_text: 'When it may start; null where nobody can know.' },
      estimated_start_basis: { type: 'string', help_text: 'What that is reckoned from, or why it is not known.' },
      groups: { type: 'list', help_text: 'The groups that it waits for, preferred first, and what blocks in each.' },
      waits_for: { type: 'list', help_text: 'Other jobs that it waits for.' },
      waited: { type: 'list', help_text: 'What it waited for so far, in order, and how long.' },
      passed_over: { type: 'list', help_text: 'Groups that had no place for it, why, and since when.' },
    },
  },
}

/** Null when the job waits for nothing: it is at work, or has ended. */
async function lookAt(job: JobRow, attempts: readonly AttemptTimes[], context: RequestContext): Promise<Now | null> {
  if (isFinal(job.status)) return null
  if (job.status === 'waiting') return waitsForPod(attempts)
  if (job.status === 'running') return job.type === 'workflow_job' ? await waitsForNodes(job, context) : null
  const load = (await loadWaiting([job], context)).get(job.id)
  if (!load) return null
  const waiting = explainWaiting(load.waiting)
  const inLine = waiting.reason === 'capacity'
  const waitsFor = await awaitedJobs(context.db, awaitedIds(load.waiting, waiting.reason))
  const explanation = explanationOf(job, load)
  return {
    ...waiting,
    explanation,
    waitsFor,
    groups: inLine ? await groupsNow(load.waiting, load.places, context) : [],
  }
}

async function groupsNow(
  waiting: WaitingJob,
  places: ReadonlyMap<number, Place>,
  context: RequestContext,
): Promise<GroupNow[]> {
  const held = await heldTimes(
    context.db,
    waiting.groups.map(({ id }) => id),
  )
  return waiting.groups.map((load) => {
    const blocks = blocksOf(load, waiting)
    const place = places.get(load.id) ?? null
    return { load, blocks, place, estimate: estimateStart(load, blocks, place?.place ?? 1, held.get(load.id) ?? null) }
  })
}

/** The sentence that is stored with a wait names the job that must end. */
function awaitedIds({ waitingText, startedBy }: WaitingJob, reason: WaitReason): number[] {
  if (reason === 'workflow') return startedBy === null ? [] : [startedBy]
  if (reason !== 'dependency' && reason !== 'turn') return []
  return [...waitingText.matchAll(/\bwaiting for \w+-(\d+) to finish/g)].map(([, id]) => Number(id))
}

function waitsForPod(attempts: readonly AttemptTimes[]): Now {
  const latest = attempts.at(-1)
  const since = latest?.podCreatedAt ?? latest?.claimed ?? null
  const pod = latest ? ` ${latest.namespace}/${latest.podName} in instance group '${latest.group}'` : ''
  return { reason: 'pod', since, explanation: `Waiting for its pod${pod} to be ready.`, waitsFor: [], groups: [] }
}

/** A workflow job at work waits when nothing of it can go on: it is paused, or all its jobs wait themselves. */
async function waitsForNodes(job: JobRow, context: RequestContext): Promise<Now | null> {
  const active = await activeJobsOfNodes(context.db, job.id)
  if (active.some(({ status }) => status !== 'pending')) return null
  if (job.paused) {
    const explanation = 'Paused: no further node is started until it is resumed.'
    return { reason: 'paused', since: null, explanation, waitsFor: active, groups: [] }
  }
  if (active.length === 0) return null
  const approvals = active.filter(({ type }) => type === 'workflow_approval')
  const reason = approvals.length > 0 ? 'approval' : 'nodes'
  const waitsFor = approvals.length > 0 ? approvals : active
  const explanation =
    reason === 'approval'
      ? `Waiting for somebody's decision on ${waitsFor.map(({ name }) => `'${name}'`).join(', ')}.`
      : `Waiting for the jobs of its nodes, which wait themselves: ${waitsFor.map(label).join(', ')}.`
  const [first] = waitsFor.map(({ created }) => created).toSorted()
  return { reason, since: first ?? null, explanation, waitsFor, groups: [] }
}

/** The group in which a job may start first; of those where nobody can know, the one where it stands foremost. */
function better(best: GroupNow | null, group: GroupNow): GroupNow {
  if (best === null) return group
  const [one, other] = [best.estimate.seconds, group.estimate.seconds]
  if (one === null && other === null)
    return (group.place?.place ?? Infinity) < (best.place?.place ?? Infinity) ? group : best
  return (other ?? Infinity) < (one ?? Infinity) ? group : best
}

async function waitedOnWire(job: JobRow, attempts: readonly AttemptTimes[], { db, now }: RequestContext) {
  if (job.type === 'workflow_approval') {
    const stage = { reason: 'approval' as const, what: '', since: job.created, until: job.finished }
    return [stageOnWire(stage, now)]
  }
  const dependencies = await dependenciesOf(db, job)
  const turn = await turnOf(db, job)
  const stages = stagesOf({
    created: job.created,
    waitingSince: standsInLine(job, attempts) ? job.waitingSince : null,
    started: job.started,
    finished: job.finished,
    dependencies: dependencies.map((other) => ({ ...other, name: label(other) })),
    turn: turn && { name: label(turn), finished: turn.finished },
    attempts: [...attempts],
  })
  return stages.map((stage) => stageOnWire(stage, now))
}

/** Whether `waiting_since` is when the job stood in the line of its groups: before that it is when it began to wait for something else. */
function standsInLine({ type, waitingReason }: JobRow, attempts: readonly AttemptTimes[]): boolean {
  if (waitingReason !== '' && waitingReason !== 'cluster') return false
  // All others run on the control plane, and inventory updates there or in a pod.
  return type === 'job' || type === 'ad_hoc_command' || attempts.length > 0
}

function stageOnWire(stage: ReturnType<typeof stagesOf>[number], now: string) {
  const { reason, what, since, until } = stage
  const seconds = secondsOf(stage, new Date(now).getTime())
  return { reason, what, since: toWireTime(since), until: toWireTime(until), seconds }
}

function groupOnWire({ load, blocks, place, estimate }: GroupNow, index: number, context: RequestContext) {
  return {
    id: load.id,
    name: load.name,
    url: `/api/v2/instance_groups/${load.id}/`,
    preference: index + 1,
    place: place?.place ?? null,
    place_is_exact: place ? !place.shared : null,
    blocks: blocks.map((block) => ({ ...block, since: toWireTime(block.since) })),
    ...startOnWire(estimate, context),
  }
}

function startOnWire(estimate: StartEstimate | null, { now }: RequestContext) {
  const seconds = estimate?.seconds ?? null
  return {
    estimated_start: seconds === null ? null : new Date(new Date(now).getTime() + seconds * 1000).toISOString(),
    estimated_start_basis: estimate?.basis ?? '',
  }
}

function awaitedOnWire(other: Awaited, { registry }: RequestContext) {
  const { id, type, name, status } = other
  const model = registry.byType(type)
  return { id, type, name, status, url: model ? `${model.url}${id}/` : '' }
}

function label({ type, id }: Pick<Awaited, 'type' | 'id'>): string {
  return `${type}-${id}`
}
