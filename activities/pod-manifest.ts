import { wrapperArgs } from '../kubernetes/scripts.ts'
import { podAnnotations, podLabels, podName } from '../model/attempt.ts'
import { effectiveManifest } from '../model/pod-template-manifest.ts'
import type { ManifestInput } from '../model/pod-template-types.ts'
import { containerCommand } from '../runner/container/script.ts'
import type { RunDocument } from '../store/run-document.ts'
import type { ActivitySettings, GroupPlace } from './deps.ts'

/** Kubernetes label values are at most 63 letters, digits, '-', '_' and '.'; ids always are. */
const label = (id: number | null) => (id === null ? '' : String(id))

/** The pod of one attempt: the group's template with our name, labels, wrapper and deadline. Holds no secret. */
export function attemptManifest(
  document: RunDocument,
  place: GroupPlace,
  attempt: { number: number; impact: number; workflowId: string; runId: string; memoryBytes: number | null },
  settings: ActivitySettings,
  imagePullSecret: string | undefined,
): ReturnType<typeof effectiveManifest> {
  const { job, executionEnvironment } = document
  return effectiveManifest({
    override: place.podSpecOverride,
    image: executionEnvironment?.image ?? '',
    pull: (executionEnvironment?.pull ?? '') as ManifestInput['pull'],
    defaultNamespace: settings.defaultNamespace,
    name: podName(job.id, attempt.number),
    labels: {
      [podLabels.install]: settings.installUuid,
      [podLabels.job]: label(job.id),
      [podLabels.attempt]: label(attempt.number),
      [podLabels.template]: label(job.jobTemplateId),
      [podLabels.organization]: label(job.organizationId),
      [podLabels.group]: label(place.groupId),
      [podLabels.user]: label(job.createdById),
    },
    annotations: {
      [podAnnotations.workflowId]: attempt.workflowId,
      [podAnnotations.runId]: attempt.runId,
      [podAnnotations.forks]: String(attempt.impact),
      [podAnnotations.jobUrl]: `${settings.publicUrl}/api/v2/jobs/${job.id}/`,
    },
    // An image of the user's own may have an entrypoint that does not run its arguments.
    ...(job.container ? { command: wrapperArgs(containerCommand), args: [] } : { args: wrapperArgs() }),
    activeDeadlineSeconds: settings.podDeadlineSeconds,
    ...(attempt.memoryBytes === null ? {} : { memoryBytes: attempt.memoryBytes }),
    ...(imagePullSecret ? { imagePullSecret } : {}),
  })
}
