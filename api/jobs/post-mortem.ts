import { and, eq } from 'drizzle-orm'
import { causeStatus } from '../../model/cause.ts'
import { isFinal } from '../../model/job.ts'
import { postMortemOf } from '../../model/post-mortem.ts'
import { toWireTime } from '../../store/instant.ts'
import { readPostMortems } from '../../store/post-mortems.ts'
import { attempts } from '../../store/schema/runtime.ts'
import type { RequestContext } from '../context.ts'
import { BadRequestError, NotFoundError } from '../errors.ts'
import type { Action } from '../resource.ts'
import type { JobRow } from './fields.ts'

/**
 * `…/post_mortem/?attempt=2`: why an attempt died, as it was found before its pod was deleted; the last one that has such a record unless `attempt` names
 * another. 404 where there is none.
 */
export const postMortemAction: Action<JobRow> = {
  async GET({ object, query, context }) {
    const wanted = readNumber(query.get('attempt'))
    const kept = await readPostMortems(context.db, object.id)
    const found = wanted === null ? kept[0] : kept.find(({ attempt }) => attempt === wanted)
    if (!found) throw new NotFoundError(whyNone(object, wanted, kept))
    const { attempt, document } = found
    const body = {
      job: object.id,
      attempt,
      attempts: kept.map((one) => one.attempt).toReversed(),
      ...(await historyOf(object.id, attempt, context)),
      taken: document.taken,
      cause: document.cause.kind,
      status: causeStatus[document.cause.kind],
      explanation: document.cause.message,
      evidence: document.cause.detail,
      cluster: document.cluster,
      namespace: document.namespace,
      pod: document.pod,
      source: document.source,
      pod_status: document.status,
      pod_manifest: document.manifest,
      events: document.events,
      node: document.node,
      quotas: document.quotas,
      last_lines: document.lastLines,
      missing: document.missing,
    }
    return { status: 200, body }
  },
  // Only of jobs that may have one: clients follow links.
  link: ({ cause, attemptCount }) => attemptCount > 1 || (cause !== null && postMortemOf(cause) !== 'none'),
  title: 'Post-mortem',
  fields: {
    GET: {
      job: { type: 'integer', label: 'Job' },
      attempt: { type: 'integer', label: 'Attempt', help_text: 'Number of the attempt, from 1.' },
      attempts: { type: 'list', label: 'Attempts', help_text: 'Attempts that have a post-mortem.' },
      instance_group: { type: 'integer', label: 'Instance group' },
      claimed: { type: 'datetime', label: 'Claimed', help_text: 'When the attempt got its place.' },
      pod_created: { type: 'datetime', label: 'Pod created' },
      delivered: { type: 'datetime', label: 'Delivered', help_text: 'From here on the play may have run.' },
      ended: { type: 'datetime', label: 'Ended' },
      released: { type: 'datetime', label: 'Released', help_text: 'When the pod was gone.' },
      taken: { type: 'datetime', label: 'Taken' },
      cause: { type: 'string', label: 'Cause' },
      status: { type: 'string', label: 'Status', help_text: 'To which the cause leads: failed or error.' },
      explanation: { type: 'string', label: 'Explanation' },
      evidence: { type: 'string', label: 'Evidence', help_text: 'The words of Kubernetes and of the runner.' },
      cluster: { type: 'string', label: 'Cluster' },
      namespace: { type: 'string', label: 'Namespace' },
      pod: { type: 'string', label: 'Pod' },
      source: {
        type: 'choice',
        label: 'Source',
        help_text: 'Where status and manifest of the pod come from.',
        choices: [
          ['cluster', 'The API server had the pod.'],
          ['watch', 'The pod was gone, and is shown as it was seen last.'],
          ['refused', 'The pod was asked for and refused.'],
          ['none', 'Nobody saw the pod.'],
        ],
      },
      pod_status: { type: 'json', label: 'Pod status' },
      pod_manifest: { type: 'json', label: 'Pod manifest', help_text: 'Without secrets.' },
      events: { type: 'json', label: 'Events', help_text: 'Of the pod, oldest first.' },
      node: { type: 'json', label: 'Node', help_text: 'Conditions and taints of the node.' },
      quotas: { type: 'json', label: 'Quotas', help_text: 'Of the namespace: hard and used.' },
      last_lines: { type: 'list', label: 'Last lines', help_text: 'Of the output, as stored.' },
      missing: { type: 'list', label: 'Missing', help_text: 'What could not be found out, and why.' },
    },
  },
}

function readNumber(text: string | null): number | null {
  if (text === null) return null
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new BadRequestError('attempt must be the number of an attempt, such as 1.')
  return Number(text)
}

function whyNone(job: JobRow, wanted: number | null, kept: readonly { attempt: number }[]): string {
  if (kept.length > 0) {
    const others = kept.map(({ attempt }) => attempt).toReversed()
    return `Attempt ${wanted} of this job has no post-mortem. These have one: ${others.join(', ')}.`
  }
  if (!isFinal(job.status)) return 'This job has not ended, and no attempt of it has died so far.'
  if (job.status === 'successful') return 'This job was successful: there is nothing to explain.'
  if (job.status === 'error')
    return 'This job has no post-mortem: no pod was made or asked for. Its job_explanation says why it ended.'
  return 'This job has no post-mortem: no pod of it was ended by anything but the play itself.'
}

/** When the attempt came how far; nulls where its row is gone because it was refused its pod. */
async function historyOf(jobId: number, number: number, { db }: RequestContext): Promise<Record<string, unknown>> {
  const [attempt] = await db
    .select()
    .from(attempts)
    .where(and(eq(attempts.jobId, jobId), eq(attempts.number, number)))
  const time = (instant: string | null | undefined) => (instant ? toWireTime(instant) : null)
  return {
    instance_group: attempt?.instanceGroupId ?? null,
    claimed: time(attempt?.claimedAt),
    pod_created: time(attempt?.podCreatedAt),
    delivered: time(attempt?.deliveredAt),
    ended: time(attempt?.endedAt),
    released: time(attempt?.releasedAt),
  }
}
