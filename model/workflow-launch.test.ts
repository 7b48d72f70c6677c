import { describe, expect, test } from 'vitest'
import type { LaunchObjects } from './launch.ts'
import { decideWorkflowLaunch, type WorkflowLaunchTemplate, type WorkflowPrompt } from './workflow-launch.ts'

const asks = (value: boolean) =>
  ({
    inventory: value,
    limit: value,
    scm_branch: value,
    extra_vars: value,
    labels: value,
    skip_tags: value,
    job_tags: value,
    priority: value,
  }) satisfies Record<WorkflowPrompt, boolean>

const template = (changes: Partial<WorkflowLaunchTemplate> = {}): WorkflowLaunchTemplate => ({
  plain: { inventory: null, limit: 'h1', scm_branch: null, skip_tags: null, job_tags: null, priority: null },
  extraVars: 'x: 1',
  asks: asks(false),
  survey: [],
  labels: [3],
  inventoryBeingDeleted: false,
  roots: [],
  ...changes,
})
const found: LaunchObjects = {
  credentials: [],
  instanceGroups: [],
  labels: [],
  inventory: { id: 4, beingDeleted: false },
}

describe('prompts', () => {
  const given = { inventory: 4, job_tags: 'a', labels: [5], extra_vars: { x: 1, y: 2 } }

  test('what is not prompted for is refused, field by field', () => {
    expect(decideWorkflowLaunch(template(), given, found)).toEqual({
      ok: false,
      errors: {
        inventory: ['Field is not configured to prompt on launch.'],
        job_tags: ['Field is not configured to prompt on launch.'],
        labels: ['Field is not configured to prompt on launch.'],
        extra_vars: [
          'Variables y are not allowed on launch. Check the Prompt on Launch setting on the Workflow Job Template to include Extra Variables.',
        ],
      },
    })
  })

  test('a node of another workflow passes what is taken, and the rest is dropped', () => {
    const decision = decideWorkflowLaunch(template({ asks: { ...asks(false), inventory: true } }), given, found, {
      unprompted: 'ignore',
      forced: { artifact: 7 },
    })
    expect(decision).toEqual({
      ok: true,
      accepted: { inventory: 4, extra_vars: { artifact: 7 } },
      ignored: { job_tags: 'a', labels: [5], extra_vars: { y: 2 } },
    })
  })

  test('a value equal to the own one is no change, a prompted one is accepted', () => {
    expect(decideWorkflowLaunch(template(), { limit: 'h1', labels: [3] }, found)).toMatchObject({
      ok: true,
      accepted: {},
    })
    expect(decideWorkflowLaunch(template({ asks: asks(true) }), given, found)).toMatchObject({
      ok: true,
      accepted: given,
    })
  })

  test('an inventory that is being deleted', () => {
    const prompting = template({ asks: asks(true) })
    expect(
      decideWorkflowLaunch(prompting, given, { ...found, inventory: { id: 4, beingDeleted: true } }),
    ).toMatchObject({ errors: { inventory: ['The provided inventory is being deleted.'] } })
    expect(decideWorkflowLaunch(template({ inventoryBeingDeleted: true }), {}, found)).toMatchObject({
      errors: { inventory: ['The inventory associated with this Workflow is being deleted.'] },
    })
  })
})

describe('answers', () => {
  const question = { type: 'text' as const, question_name: 'q', variable: 'w_text', required: true }

  test('required ones must be given; forced variables count', () => {
    const asking = template({ survey: [question] })
    expect(decideWorkflowLaunch(asking, {}, found)).toEqual({
      ok: false,
      errors: { variables_needed_to_start: ["'w_text' value missing"] },
    })
    expect(decideWorkflowLaunch(asking, {}, found, { forced: { w_text: 'a' } })).toMatchObject({
      ok: true,
      accepted: { extra_vars: { w_text: 'a' } },
    })
  })

  test('a root node that is certain to lack one forbids the launch, unless the workflow gives it', () => {
    const roots = [{ identifier: 'n1', templateName: 'deploy', survey: [question], variables: {} }]
    expect(decideWorkflowLaunch(template({ roots }), {}, found)).toEqual({
      ok: false,
      errors: { variables_needed_to_start: ["'w_text' value missing for node n1 (deploy)"] },
    })
    expect(decideWorkflowLaunch(template({ roots, extraVars: 'w_text: a' }), {}, found).ok).toBe(true)
    const answered = [
      { ...roots[0], identifier: 'n1', templateName: 'deploy', survey: [question], variables: { w_text: 'b' } },
    ]
    expect(decideWorkflowLaunch(template({ roots: answered }), {}, found).ok).toBe(true)
  })
})
