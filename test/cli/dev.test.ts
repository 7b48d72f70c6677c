import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { launch, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { runMayfly } from '../setup/command.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'

const play = '- hosts: all\n  gather_facts: false\n  tasks:\n    - debug: {msg: kept by the embedded database}\n'
let mayfly: Mayfly

beforeAll(async () => {
  mayfly = await startMayfly({ inOne: true })
})
afterAll(() => mayfly.stop())

test('one process on the embedded database runs jobs, and keeps them over a kill', async () => {
  const catalog = await makeCatalog(mayfly, { files: { 'play.yml': play } })
  const job = await launch(mayfly, await makeTemplate(mayfly, catalog, 'play.yml'))
  expect(await mayfly.ended(`/jobs/${job}/`)).toMatchObject({ status: 'successful' })
  const output = () => mayfly.api('GET', `/jobs/${job}/stdout/?format=txt`)
  const before = (await output()).text
  expect(before).toContain('kept by the embedded database')

  await mayfly.restart('dev')
  expect((await output()).text).toBe(before)
})

test('a second one says where the first is, and --down stops it and nothing that was given', async () => {
  const second = await runMayfly(['dev'], mayfly.env)
  expect(second).toMatchObject({ code: 0, output: expect.stringContaining('runs already') })
  expect(second.output).toContain(`${mayfly.url}/api/v2/`)
  expect(second.output).not.toContain(mayfly.password)

  const status = await runMayfly(['dev', '--status'], mayfly.env)
  expect(status.output).toMatch(new RegExp(`^mayfly +ready +${mayfly.pid('dev')} `))

  const down = await runMayfly(['dev', '--down'], mayfly.env)
  expect(down).toMatchObject({ code: 0, output: expect.stringMatching(/^Stopped: mayfly\.$/m) })
  await until({ what: 'the process to be reaped', seconds: 180 }, () => mayfly.pid('dev') === undefined)
  expect((await runMayfly(['dev', '--down'], mayfly.env)).output).toContain('Nothing was running.')
})
