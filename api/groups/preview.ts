import { podAnnotations, podLabels, podName } from '../../model/attempt.ts'
import { effectiveManifest } from '../../model/pod-template-manifest.ts'
import type { PodManifest, TemplateRemark } from '../../model/pod-template-types.ts'
import { validateOverride } from '../../model/pod-template-validate.ts'
import type { instanceGroups } from '../../store/schema/catalog.ts'
import { jobWorkflowId } from '../../workflows/names.ts'
import type { RequestContext } from '../context.ts'
import { globalEnvironment } from '../environments.ts'
import { ValidationError } from '../errors.ts'
import type { ActionInput, ActionResult } from '../resource.ts'

type Group = typeof instanceGroups.$inferSelect

/** What a preview answers; `manifest` is null while the override is not valid. */
export interface GroupPreview {
  ok: boolean
  errors: TemplateRemark[]
  warnings: TemplateRemark[]
  manifest: PodManifest | null
}

/** The default of the setting that bounds a pod's life. */
const deadlineSeconds = 7 * 86_400
/** Job and attempt that a previewed pod is named after. */
const sampleJob = 0

/**
 * `/instance_groups/N/preview/`: the pod that a job of this group would get, with the group's override or, by POST, with an unsaved
 * `pod_spec_override`; so a mistake is seen before a job meets it.
 */
export async function groupPreview({ object: group, body, context }: ActionInput<Group>): Promise<ActionResult> {
  const given = body.pod_spec_override ?? group.podSpecOverride
  if (typeof given !== 'string') throw ValidationError.on('pod_spec_override', 'Not a valid string.')
  const check = given.trim() === '' ? { ok: true, errors: [], warnings: [] } : validateOverride(given)
  const preview: GroupPreview = { ...check, manifest: check.ok ? await manifestOf(given, context) : null }
  return { status: 200, body: preview }
}

async function manifestOf(override: string, context: RequestContext): Promise<PodManifest> {
  const environment = await globalEnvironment(context)
  return effectiveManifest({
    override,
    image: environment?.image ?? '',
    pull: pullPolicy(environment?.pull),
    defaultNamespace: context.deps.defaultNamespace,
    name: podName(sampleJob, 1),
    labels: { [podLabels.install]: context.deps.installUuid, [podLabels.job]: String(sampleJob) },
    annotations: { [podAnnotations.workflowId]: jobWorkflowId(sampleJob) },
    // The wrapper that every worker container runs is not a user's to see or change.
    args: ['…'],
    activeDeadlineSeconds: deadlineSeconds,
  })
}

function pullPolicy(pull: string | undefined): '' | 'always' | 'missing' | 'never' {
  return pull === 'always' || pull === 'missing' || pull === 'never' ? pull : ''
}
