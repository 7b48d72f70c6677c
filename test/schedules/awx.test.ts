/** The unmodified `awx` command makes, lists, changes and deletes schedules; one fires, on the embedded database too. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { awxCommand, type CommandResult } from '../setup/awx-command.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { onceAt, Schedules } from '../setup/schedules.ts'

let mayfly: Mayfly
let schedules: Schedules
let awx: (...args: string[]) => Promise<CommandResult>

beforeAll(async () => {
  mayfly = await startMayfly({ inOne: true })
  schedules = await Schedules.open(mayfly)
  awx = await awxCommand(mayfly)
})
afterAll(async () => {
  await schedules?.close()
  await mayfly?.stop()
})

/** Runs the command and returns what it printed as JSON; its own words are in the failure. */
async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await awx(...args)
  expect(exitCode, stderr || stdout).toBe(0)
  return JSON.parse(stdout)
}

test('create, list, modify, delete', async () => {
  const template = String(schedules.template)
  const rrule = 'DTSTART;TZID=Europe/Berlin:20300101T023000 RRULE:FREQ=DAILY;INTERVAL=1'
  const named = ['--name', 'nightly', '--rrule', rrule, '--unified_job_template', template]
  const created = await json('schedules', 'create', ...named)
  expect(created).toMatchObject({ type: 'schedule', timezone: 'Europe/Berlin', next_run: '2030-01-01T01:30:00Z' })
  expect(await json('schedules', 'list', '--unified_job_template', template)).toMatchObject({ count: 1 })
  expect(await json('schedules', 'get', 'nightly')).toMatchObject({ id: created.id })

  const nightly = Number(created.id)
  let modified: Record<string, unknown> = {}
  const { at } = await schedules.ahead(5, (instant) => [
    json('schedules', 'modify', 'nightly', '--rrule', onceAt(instant)).then((answer) => {
      modified = answer
      return nightly
    }),
  ])
  expect(modified).toMatchObject({ next_run: new Date(at).toISOString().replace('.000Z', 'Z') })
  const [run] = await schedules.ran(nightly)
  expect(run).toMatchObject({ state: 'launched' })
  expect(await json('workflow_jobs', 'get', String(run?.job))).toMatchObject({ launch_type: 'scheduled' })

  expect(await json('schedules', 'modify', 'nightly', '--enabled', 'false')).toMatchObject({ enabled: false })
  expect((await awx('schedules', 'delete', 'nightly')).exitCode).toBe(0)
  expect(await json('schedules', 'list')).toMatchObject({ count: 0 })
  await expect.poll(() => schedules.known(nightly)).toBeNull()
  const refused = await awx(
    'schedules',
    'create',
    '--name',
    'x',
    '--rrule',
    'nonsense',
    '--unified_job_template',
    template,
  )
  expect(refused.exitCode).not.toBe(0)
  expect(refused.stdout + refused.stderr).toContain('Valid DTSTART required in rrule.')
})
