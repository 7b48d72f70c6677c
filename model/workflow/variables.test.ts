import { expect, test } from 'vitest'
import { dryRun } from './dry-run.ts'
import { forcedVariables, inheritedArtifacts, nodePrompts } from './variables.ts'

test('artifacts join in the order of the parents, and a parent’s own win over what it inherited', () => {
  const parents = [
    { nodeId: 9, inherited: { a: 'nine inherited' }, own: { b: 'nine' } },
    { nodeId: 3, inherited: { a: 'three inherited', c: 1 }, own: { b: 'three', a: 'three' } },
  ]
  expect(inheritedArtifacts(parents)).toEqual({ a: 'nine inherited', b: 'nine', c: 1 })
  expect(inheritedArtifacts([])).toEqual({})
})

test('the workflow’s variables win over artifacts for a job; a workflow in a workflow is forced the artifacts alone', () => {
  const workflow = { variables: { a: 'workflow', w: 1 }, secretNames: [] }
  expect(forcedVariables('job_template', { a: 'artifact', b: 2 }, workflow).variables).toEqual({
    a: 'workflow',
    b: 2,
    w: 1,
  })
  expect(forcedVariables('workflow_job_template', { a: 'artifact' }, workflow).variables).toEqual({ a: 'artifact' })
})

test('hidden artifacts go on as secrets, without the mark that hides them', () => {
  const forced = forcedVariables(
    'job_template',
    { token: 's3cret', host: 'h', _ansible_no_log: true },
    { variables: { host: 'shown', key: 'k' }, secretNames: ['key'] },
  )
  expect(forced).toEqual({ variables: { token: 's3cret', host: 'shown', key: 'k' }, secretNames: ['token', 'key'] })
})

test('prompts of the workflow take the place of the node’s', () => {
  const node = { limit: 'node', verbosity: 2, extra_vars: { a: 'node', b: 'node' } }
  expect(nodePrompts(node, { limit: 'workflow', inventory: 3 }, { b: 'workflow' })).toEqual({
    limit: 'workflow',
    verbosity: 2,
    inventory: 3,
    extra_vars: { a: 'node', b: 'workflow' },
  })
})

test('a dry run says which nodes would run for given outcomes', () => {
  const nodes = [1, 2, 3, 4].map((id) => ({ id, allParentsMustConverge: false, hasTemplate: id !== 4 }))
  const edges = [
    { parentId: 1, childId: 2, kind: 'success' as const },
    { parentId: 1, childId: 3, kind: 'failure' as const },
    { parentId: 3, childId: 4, kind: 'always' as const },
  ]
  expect(dryRun(nodes, edges, new Map())).toEqual({
    runs: [
      { id: 1, outcome: 'successful' },
      { id: 2, outcome: 'successful' },
    ],
    doNotRun: [3, 4],
    withoutTemplate: [],
    result: 'successful',
  })
  expect(dryRun(nodes, edges, new Map([[1, 'failed']]))).toEqual({
    runs: [
      { id: 1, outcome: 'failed' },
      { id: 3, outcome: 'successful' },
    ],
    doNotRun: [2],
    withoutTemplate: [4],
    result: 'failed',
  })
})
