import { createHash } from 'node:crypto'
import type { Prompts } from '../../model/prompts.ts'
import type { Variables } from '../../model/variables.ts'
import {
  isIgnoredEvent,
  type WebhookEvent,
  type WebhookService,
  webhookRef,
  webhookServices,
  webhookStatusApi,
  webhookVariables,
} from '../../model/webhooks.ts'
import { decideJobTemplateLaunch, makeLaunchedJob } from '../../store/launch/job-template.ts'
import type { LaunchOrigin } from '../../store/launch/new-job.ts'
import type { TemplateRow } from '../../store/launch/sources.ts'
import {
  decideWorkflowLaunch,
  makeLaunchedWorkflowJob,
  type WorkflowTemplateRow,
} from '../../store/launch/workflow-template.ts'
import { enqueue } from '../../store/outbox.ts'
import { webhookDeliveries } from '../../store/schema/workflows.ts'
import { parseJsonObject, readBytes } from '../body.ts'
import type { RequestContext } from '../context.ts'
import { ApiError, PermissionDeniedError } from '../errors.ts'
import type { Action, ActionInput, ActionResult } from '../resource.ts'
import { readWebhookKey } from './key.ts'
import { isSignedBy } from './signature.ts'

/** Makes the job of a web hook within the transaction of the request; returns its id. */
type Launch<R> = (template: R, variables: Variables, origin: LaunchOrigin, context: RequestContext) => Promise<number>

/** `/job_templates/N/github/` and the like. */
export const jobTemplateReceivers = receivers<TemplateRow>(async (template, variables, origin, context) => {
  const { keyring } = context.deps
  const launch = await decideJobTemplateLaunch({ db: context.db, keyring }, template, answersIn(variables))
  const { decision } = launch
  if (!decision.ok) throw cannotStart(decision.errors)
  const accepted = {
    ...decision,
    accepted: { ...decision.accepted, extra_vars: { ...decision.accepted.extra_vars, ...variables } },
  }
  return (await makeLaunchedJob(context.db, keyring, launch, accepted, origin)).id
})

/** `/workflow_job_templates/N/github/` and the like. */
export const workflowReceivers = receivers<WorkflowTemplateRow>(async (template, variables, origin, context) => {
  const { keyring } = context.deps
  const launch = await decideWorkflowLaunch({ db: context.db, keyring }, template, {}, { forced: variables })
  const { decision } = launch
  if (!decision.ok) throw cannotStart(decision.errors)
  return (await makeLaunchedWorkflowJob(context.db, keyring, launch, decision, origin)).id
})

/** A template with a web hook. */
type HookedRow = TemplateRow | WorkflowTemplateRow

function receivers<R extends HookedRow>(launch: Launch<R>): Record<WebhookService, Action<R>> {
  const entries = webhookServices.map((service): [WebhookService, Action<R>] => [
    service,
    {
      POST: (input) => receive(service, input, launch),
      anonymous: true,
      permission: null,
      hidesMissing: true,
      ownBody: true,
      link: false,
    },
  ])
  return Object.fromEntries(entries) as Record<WebhookService, Action<R>>
}

async function receive<R extends HookedRow>(
  service: WebhookService,
  { object: template, context }: ActionInput<R>,
  launch: Launch<R>,
): Promise<ActionResult> {
  const { headers } = context.request
  const body = await readBytes(context.request)
  const type = headers.get(eventHeaders[service]) ?? ''
  if (template.webhookService !== service) throw new PermissionDeniedError()
  // Bitbucket tests the connection without a signature; that launches nothing.
  const isHello = service === 'bitbucket_dc' && type === 'diagnostics:ping'
  const key = readWebhookKey(context.deps.keyring, template)
  if (key === '' || (!isHello && !isSignedBy(service, key, headers, body))) throw new PermissionDeniedError()
  if (isIgnoredEvent(service, type)) return { status: 200, body: { message: 'Webhook ignored' } }

  const payload = parseJsonObject(body.toString('utf8'))
  const event: WebhookEvent = {
    type,
    guid: guidOf(service, headers, body),
    ref: webhookRef(service, type, payload),
    statusApi: webhookStatusApi(service, type, payload),
  }
  const [first] = await context.db
    .insert(webhookDeliveries)
    .values({ templateId: template.id, guid: event.guid })
    .onConflictDoNothing()
    .returning()
  if (!first) return { status: 202, body: { message: 'Webhook previously received, aborting.' } }
  const jobId = await launch(
    template,
    webhookVariables(event, payload),
    {
      launchType: 'webhook',
      createdById: null,
      webhookService: service,
      webhookCredentialId: template.webhookCredentialId,
      webhookGuid: event.guid,
    },
    context,
  )
  if (template.webhookCredentialId !== null && event.statusApi !== null) {
    await enqueue(context.db, 'webhook_status', jobId)
  }
  return { status: 202, body: { message: 'Job queued.' } }
}

const eventHeaders: Record<WebhookService, string> = {
  github: 'X-GitHub-Event',
  gitlab: 'X-Gitlab-Event',
  bitbucket_dc: 'X-Event-Key',
}

const guidHeaders = { github: 'X-GitHub-Delivery', bitbucket_dc: 'X-Request-Id' } as const

/** GitLab names no delivery, so its content does. */
function guidOf(service: WebhookService, headers: Headers, body: Buffer): string {
  const guid = service === 'gitlab' ? null : headers.get(guidHeaders[service])
  return guid || createHash('sha1').update(body).digest('hex')
}

/** A survey may ask for what a web hook brings. */
function answersIn(variables: Variables): Prompts {
  return { extra_vars: variables }
}

/** Nobody is there to be asked. */
function cannotStart(errors: Record<string, unknown>): ApiError {
  return new ApiError(400, { msg: 'Cannot start automatically, user input required!', errors })
}
