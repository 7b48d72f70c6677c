/** The unmodified `awx` command logs in, lists, creates a template, launches with --monitor and prints the output to its end. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { awxCommand, type CommandResult } from '../setup/awx-command.ts'
import { type Catalog, inNamespace, makeCatalog } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'

const playbook = `
- hosts: all
  gather_facts: false
  tasks:
    - name: say hello
      ansible.builtin.debug: { msg: "hello {{ inventory_hostname }}, {{ greeting | default('no greeting') }}" }
`
const failing =
  '- hosts: all\n  gather_facts: false\n  tasks: [{ name: break, ansible.builtin.fail: { msg: broken } }]\n'

let mayfly: Mayfly
let catalog: Catalog
let awx: (...args: string[]) => Promise<CommandResult>

beforeAll(async () => {
  mayfly = await startMayfly()
  catalog = await makeCatalog(mayfly, { files: { 'hello.yml': playbook, 'fail.yml': failing }, hosts: ['one', 'two'] })
  // Jobs of templates without groups of their own go to the default group.
  await mayfly.patch('/instance_groups/default/', { pod_spec_override: inNamespace(mayfly) })
  awx = await awxCommand(mayfly)
})
afterAll(() => mayfly?.stop())

/** Runs the command and returns what it printed as JSON; its own words are in the failure. */
async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await awx(...args)
  expect(exitCode, stderr || stdout).toBe(0)
  return JSON.parse(stdout)
}

test('it logs in, lists, creates, launches and monitors to the end', async () => {
  expect(await json('me')).toMatchObject({ count: 1 })
  // Before any command on users it asks every collection with roles what these are.
  expect(await json('users', 'list')).toMatchObject({ count: 1 })
  expect(await json('organizations', 'list')).toMatchObject({ count: 2 })
  expect(await json('instance_groups', 'list', '--is_container_group', 'true')).toMatchObject({ count: 2 })

  const created = await json(
    ...['job_templates', 'create', '--name', 'from the command line', '--job_type', 'run', '--playbook', 'hello.yml'],
    ...[
      '--project',
      String(catalog.project),
      '--inventory',
      String(catalog.inventory),
      '--ask_variables_on_launch',
      'true',
    ],
  )
  expect(created).toMatchObject({ type: 'job_template', name: 'from the command line', ask_variables_on_launch: true })

  const { exitCode, stdout, stderr } = await awx(
    ...[
      'job_templates',
      'launch',
      'from the command line',
      '--monitor',
      '--extra_vars',
      '{"greeting": "good morning"}',
    ],
  )
  expect(exitCode, stderr).toBe(0)
  expect(stdout).toContain('hello one, good morning')
  expect(stdout).toContain('hello two, good morning')
  expect(stdout).toContain('PLAY RECAP')

  const { results } = (await json('jobs', 'list', '--name', 'from the command line')) as { results: { id: number }[] }
  const printed = await awx('jobs', 'stdout', String(results[0]?.id))
  expect(printed.stdout).toContain('hello two, good morning')
  expect(await json('job_templates', 'modify', 'from the command line', '--verbosity', '1')).toMatchObject({
    verbosity: 1,
  })
  expect((await awx('job_templates', 'delete', 'from the command line')).exitCode).toBe(0)
})

test('a failed job makes --monitor exit with 1', async () => {
  await json(
    ...['job_templates', 'create', '--name', 'breaks', '--job_type', 'run', '--playbook', 'fail.yml'],
    ...['--project', String(catalog.project), '--inventory', String(catalog.inventory)],
  )
  const { exitCode, stdout } = await awx('job_templates', 'launch', 'breaks', '--monitor')
  expect(exitCode).toBe(1)
  expect(stdout).toContain('broken')
  expect(await json('jobs', 'list', '--status', 'failed')).toMatchObject({ count: 1 })
})

test('a wrong password is said so', async () => {
  const { exitCode, stderr, stdout } = await awx('--conf.password', 'wrong', 'me')
  expect(exitCode).not.toBe(0)
  expect(stderr + stdout).toMatch(/Valid credentials were not provided|401/)
})
