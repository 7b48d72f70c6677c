import type { LaunchType } from '../../model/job.ts'
import {
  jobVariables,
  type LaunchDecision,
  type LaunchTemplate,
  launchSecrets,
  splitSecretAnswers,
} from '../../model/launch.ts'
import { pythonJson } from '../../model/variables.ts'
import { isSealed, type Keyring, open, surveyContext } from '../secrets.ts'
import { eligibleGroups, type LaunchSources, type TemplateRow } from './sources.ts'

/** Who or what launches: columns of the job. */
export interface LaunchOrigin {
  launchType: LaunchType
  createdById: number | null
  /** The workflow job whose node it is. */
  workflowJobId?: number
  scheduleId?: number
  /** Names of variables whose values rest sealed and read `$encrypted$`, besides answers to password questions. */
  hidden?: readonly string[]
  /** The web hook that launched it. */
  webhookService?: string
  webhookCredentialId?: number | null
  webhookGuid?: string
  /** That of the workflow job whose node it is, if that has one: it wins over what template and launch say. */
  priority?: number
}

/** A launch that may be made. */
export type Accepted = Extract<LaunchDecision, { ok: true }>

/** The row of a launched job, and what `createJob` needs beside it. */
export function newJob(
  template: TemplateRow,
  rules: LaunchTemplate,
  sources: LaunchSources,
  { accepted, credentials, passwords }: Accepted,
  { keyring, hidden = [], ...origin }: LaunchOrigin & { keyring: Keyring },
) {
  const { shown, secret } = splitSecretAnswers(rules.survey, jobVariables(rules, accepted.extra_vars), hidden)
  const answers = openSurveyDefaults(template, secret, keyring)
  const asked = splitSecretAnswers(rules.survey, accepted.extra_vars ?? {}, hidden).shown
  const values = {
    type: 'job' as const,
    name: template.name,
    description: template.description,
    unifiedJobTemplateId: template.id,
    jobTemplateId: template.id,
    organizationId: template.organizationId,
    ...origin,
    executionEnvironmentId: accepted.execution_environment ?? template.executionEnvironmentId,
    eligibleGroups: eligibleGroups(sources, template.preventInstanceGroupFallback, accepted.instance_groups),
    launchConfig: { ...accepted, ...(accepted.extra_vars ? { extra_vars: asked } : {}) },
    jobType: accepted.job_type ?? template.jobType,
    inventoryId: accepted.inventory ?? template.inventoryId,
    projectId: template.projectId,
    playbook: template.playbook,
    scmBranch: accepted.scm_branch ?? template.scmBranch,
    forks: accepted.forks ?? template.forks,
    limit: accepted.limit ?? template.limit,
    verbosity: accepted.verbosity ?? template.verbosity,
    extraVars: pythonJson(shown),
    jobTags: accepted.job_tags ?? template.jobTags,
    forceHandlers: template.forceHandlers,
    skipTags: accepted.skip_tags ?? template.skipTags,
    startAtTask: template.startAtTask,
    timeout: accepted.timeout ?? template.timeout,
    useFactCache: template.useFactCache,
    becomeEnabled: template.becomeEnabled,
    diffMode: accepted.diff_mode ?? template.diffMode,
    allowSimultaneous: template.allowSimultaneous,
    // Of a job that is no slice it is 1, whatever its template says.
    jobSliceNumber: 0,
    container: template.container,
    jobSliceCount: 1,
    priority: origin.priority ?? accepted.priority ?? template.priority,
    retryPolicy: template.retryPolicy,
    holdOnFailureSeconds: template.holdOnFailureSeconds,
  }
  const more = {
    credentialIds: credentials.map(({ id }) => id),
    labelIds: accepted.labels ?? rules.labels,
    secrets: launchSecrets(passwords, answers),
    answers,
    keyring,
  }
  return { values, more }
}

/** Secret answers in clear: those that are a template's sealed defaults are opened. */
export function openSurveyDefaults(
  template: { id: number },
  answers: Record<string, unknown>,
  keyring: Keyring,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(answers).map(([name, value]) => [name, openSurveyDefault(keyring, template.id, name, value)]),
  )
}

/** A survey's default in clear if it is sealed; anything else as it is. */
function openSurveyDefault(keyring: Keyring, templateId: number, variable: string, value: unknown): unknown {
  return isSealed(value) ? open(keyring, value, surveyContext(templateId, variable)) : value
}
