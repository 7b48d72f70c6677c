/** What several scenarios do. */
import { until } from '../../dev/wait.ts'
import { launch } from '../setup/catalog.ts'
import type { Recorded, Stage } from './stage.ts'

/** Plays a scenario to its end. The scenario's name is `TYPE.SCENARIO`, of the workflow that is recorded. */
export type Scenario = (stage: Stage) => Promise<Recorded>

let made = 0

/** A name that no other object has. */
export const fresh = (what: string) => `${what}-${++made}`

/** Resolves when the job has asked for a place. */
export const hasAdmission = (stage: Stage, job: number) =>
  until({ what: `job ${job} to ask for a place`, seconds: 60, everyMs: 50 }, async () => {
    const history = await stage.operator.history(job).catch(() => [])
    return history.some(({ activity }) => activity === 'admit')
  })

/** Cancels a job of a kind, as the path names it, over the API. */
export async function cancel(stage: Stage, kind: string, id: number): Promise<void> {
  await stage.mayfly.post(`/${kind}/${id}/cancel/`)
}

/** A group that another job fills until `free` is called. */
export async function fullGroup(stage: Stage) {
  const catalog = await stage.group({ max_concurrent_jobs: 1 })
  const holder = await launch(stage.mayfly, await stage.template('hold.yml', catalog))
  await stage.prints(holder, 'has begun')
  return { catalog, free: () => cancel(stage, 'jobs', holder) }
}

/** A git project whose first update has ended. */
export async function gitProject(stage: Stage, fields: Record<string, unknown> = {}) {
  const { mayfly, git, catalog } = stage
  const name = fresh('repository')
  const play = '- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: fine}}]\n'
  git.repository(name, { 'ok.yml': play, 'hosts.ini': 'web1\nweb2\n' })
  const body = { name, organization: catalog.organization, scm_type: 'git', scm_url: `${git.origin}/public/${name}` }
  const { id } = await mayfly.post('/projects/', { ...body, ...fields })
  const { results } = await mayfly.get<{ results: { id: number }[] }>(`/projects/${id}/project_updates/`)
  const first = results[0]?.id ?? 0
  await mayfly.ended(`/project_updates/${first}/`)
  return { id, name, first }
}
