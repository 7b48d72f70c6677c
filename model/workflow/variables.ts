import type { Prompts } from '../prompts.ts'
import { mergeVariables, type Variables } from '../variables.ts'

/** The key by which a play says that its artifacts are secret: hidden where they are shown, and passed on as secrets. */
export const hiddenArtifactsKey = '_ansible_no_log'

/** What a parent hands down: what it inherited, and what its own job made. */
export interface ParentArtifacts {
  nodeId: number
  inherited: Variables
  own: Variables
}

/** Artifacts that a node inherits: of all parents in the order of their ids, each parent's own after what it inherited; later ones win. */
export function inheritedArtifacts(parents: readonly ParentArtifacts[]): Variables {
  const inOrder = [...parents].sort((one, other) => one.nodeId - other.nodeId)
  return mergeVariables(...inOrder.flatMap(({ inherited, own }) => [inherited, own]))
}

/** Variables that a node's job gets whether or not its template asks for any, and the names of those that must not be shown. */
export interface ForcedVariables {
  variables: Variables
  secretNames: string[]
}

/** Artifacts as variables: without the mark that hides them. */
function artifactVariables(artifacts: Variables): ForcedVariables {
  const { [hiddenArtifactsKey]: hidden, ...variables } = artifacts
  return { variables, secretNames: hidden === undefined ? [] : Object.keys(variables) }
}

/**
 * Variables of a node's job beyond what its template lets in, for a job template: artifacts, and over them the workflow job's own
 * variables; `workflowSecrets` names those of these that must not be shown. For a workflow in a workflow only the artifacts are forced.
 */
export function forcedVariables(
  templateType: 'job_template' | 'workflow_job_template',
  artifacts: Variables,
  workflow: ForcedVariables,
): ForcedVariables {
  const inherited = artifactVariables(artifacts)
  if (templateType === 'workflow_job_template') return inherited
  const shownByWorkflow = Object.keys(workflow.variables).filter((name) => !workflow.secretNames.includes(name))
  return {
    variables: mergeVariables(inherited.variables, workflow.variables),
    secretNames: [
      ...inherited.secretNames.filter((name) => !shownByWorkflow.includes(name)),
      ...workflow.secretNames.filter((name) => !inherited.secretNames.includes(name)),
    ],
  }
}

/** Prompts of a workflow job that take the place of its nodes' own. */
const overriding = ['inventory', 'limit', 'scm_branch', 'job_tags', 'skip_tags'] as const

/**
 * Prompts for a node's job: the node's, under those that the workflow job has. Whether the job's template asks for them is decided where
 * it is launched. `workflowVariables` join them for a workflow in a workflow; job templates get them anyhow (forcedVariables).
 */
export function nodePrompts(node: Prompts, workflow: Prompts, workflowVariables: Variables = {}): Prompts {
  const prompts: Prompts = { ...node }
  for (const field of overriding) {
    if (workflow[field] !== undefined) Object.assign(prompts, { [field]: workflow[field] })
  }
  const variables = mergeVariables(node.extra_vars, workflowVariables)
  if (Object.keys(variables).length > 0) prompts.extra_vars = variables
  return prompts
}
