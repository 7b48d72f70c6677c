/** One workflow with everything in it: twelve nodes, every kind of edge, both convergences, a nested workflow, an approval, a sliced node. */
import { expect } from 'vitest'
import { type Catalog, makeTemplate } from '../setup/catalog.ts'
import type { Mayfly } from '../setup/mayfly.ts'
import type { Workflows } from '../setup/workflows.ts'

const play = (tasks: string) => `- hosts: all\n  gather_facts: false\n  tasks:\n${tasks}\n`

/** Playbooks of the project. */
export const files = {
  'ok.yml': play('    - ansible.builtin.debug: { msg: fine }'),
  'stats.yml': play(
    '    - ansible.builtin.set_stats: { data: "{{ {name: value, \'common\': name} }}", per_host: false, aggregate: false }\n      run_once: true',
  ),
  'fails.yml': play('    - ansible.builtin.fail: { msg: on purpose }\n      run_once: true'),
}

/** Makes it, and tells what must have come of it. */
export async function everything(mayfly: Mayfly, catalog: Catalog, workflows: Workflows) {
  const asks = { allow_simultaneous: true, ask_variables_on_launch: true, limit: 'h1' }
  const ok = await makeTemplate(mayfly, catalog, 'ok.yml', asks)
  const stats = await makeTemplate(mayfly, catalog, 'stats.yml', asks)
  const fails = await makeTemplate(mayfly, catalog, 'fails.yml', asks)
  const sliced = await makeTemplate(mayfly, catalog, 'ok.yml', { allow_simultaneous: true, job_slice_count: 3 })
  const approval = await workflows.approvalTemplate('go on?')
  const says = (name: string, value: string) => ({ template: stats, values: { extraData: { name, value } } })
  const nested = await workflows.template({ inner: says('nested', 'inner'), last: { template: ok } }, [
    'inner success last',
  ])
  const template = await workflows.template(
    {
      first: says('first', 'one'),
      second: says('second', 'two'),
      broken: { template: fails },
      rescue: { template: ok },
      always: { template: ok },
      any: { template: ok },
      all: { template: ok, all: true },
      never: { template: ok },
      nested: { template: nested, type: 'workflow_job_template' },
      approval: { template: approval, type: 'workflow_approval_template' },
      sliced: { template: sliced },
      end: { template: ok, all: true },
    },
    [
      'first failure never',
      'broken failure rescue',
      'broken always always',
      'first success any',
      'broken success any',
      'first success all',
      'second always all',
      'rescue success all',
      'all success nested',
      'any success sliced',
      'nested success end',
      'approval success end',
      'sliced always end',
    ],
    { extraVars: '{"common": "workflow"}' },
  )
  return {
    template,
    async expectTheEnd(run: number): Promise<void> {
      expect(await workflows.statuses(run)).toEqual({
        first: 'successful',
        second: 'successful',
        broken: 'failed',
        rescue: 'successful',
        always: 'successful',
        any: 'successful',
        all: 'successful',
        never: 'never',
        nested: 'successful',
        approval: 'successful',
        sliced: 'successful',
        end: 'successful',
      })
      expect(await workflows.row(run)).toMatchObject({ status: 'successful', failed: false, jobExplanation: '' })
      const nodes = await workflows.nodes(run)
      const varsOf = async (node: string) => JSON.parse((await workflows.row(nodes.get(node)?.jobId ?? 0)).extraVars)
      expect(await varsOf('all')).toEqual({ first: 'one', second: 'two', common: 'workflow' })
      expect(await varsOf('end')).toEqual({ first: 'one', second: 'two', nested: 'inner', common: 'workflow' })
      const slices = await workflows.nodes(nodes.get('sliced')?.jobId ?? 0)
      const numbers = await Promise.all(
        [...slices.values()].map(async ({ jobId }) => (await workflows.row(jobId ?? 0)).jobSliceNumber),
      )
      expect(numbers.sort()).toEqual([1, 2, 3])
    },
  }
}
