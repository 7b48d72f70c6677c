import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type GitServer, startGitServer } from '../setup/git-server.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'

let mayfly: Mayfly
let server: GitServer
beforeAll(async () => {
  mayfly = await startMayfly()
  server = await startGitServer(join(mayfly.folder, 'repositories'))
})
afterAll(async () => {
  await Promise.all([mayfly?.stop(), server?.stop()])
})

interface Page<Row> {
  count: number
  results: Row[]
}

test('an update whose worker is killed is done again by the next one, and told once', async () => {
  const { id: organization } = await mayfly.post('/organizations/', { name: 'mortal' })
  const repository = server.repository('mortal', { 'site.yml': '- hosts: all\n', 'inventories/prod': 'web1\n' })
  const letGo = server.hold('mortal')
  const body = { name: 'mortal', organization, scm_type: 'git', scm_url: `${server.origin}/public/mortal` }
  const { id } = await mayfly.post('/projects/', body)
  const [update] = (await mayfly.get<Page<{ id: number }>>(`/projects/${id}/project_updates/`)).results
  const path = `/project_updates/${update?.id}/`
  const asked = () => server.requests.filter((request) => request.includes('/public/mortal/')).length
  await expect.poll(asked).toBe(1)
  await mayfly.kill9('worker')
  const starting = mayfly.start('worker')
  // The lock of the dead worker and its half-made mirror are in nobody's way.
  await expect.poll(asked).toBe(2)
  letGo()
  await starting
  expect((await mayfly.ended(path)).status).toBe('successful')
  const { results } = await mayfly.get<Page<{ counter: number; start_line: number; end_line: number }>>(
    `${path}events/?page_size=200&order_by=counter`,
  )
  expect(results.map(({ counter }) => counter)).toEqual(results.map((_, index) => index + 1))
  expect(results.map((event) => event.start_line)).toEqual([0, ...results.slice(0, -1).map((event) => event.end_line)])
  expect(await mayfly.get(`/projects/${id}/`)).toMatchObject({
    status: 'successful',
    scm_revision: repository.git('rev-parse', 'HEAD'),
  })
  expect(await mayfly.get(`/projects/${id}/playbooks/`)).toEqual(['site.yml'])
  expect(await mayfly.get(`/projects/${id}/inventories/`)).toEqual(['inventories/prod'])
})
