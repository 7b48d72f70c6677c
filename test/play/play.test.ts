/** What a play does in the pod is what ansible-runner does with it locally; what goes wrong is said readably. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { controlPlaneAnsible } from '../../dev/ansible.ts'
import { type Catalog, launch, localHost, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'

const hosts = ['web1', 'web2', 'web3', 'db1', 'db2']

/** Fifty tasks that use what plays use: results, loops, changes, skips, handlers, rescued and ignored failures, statistics. */
const fifty = `
- hosts: all
  gather_facts: false
  tasks:
${Array.from({ length: 44 }, (_, index) => `    - name: step ${index + 1}\n      ansible.builtin.debug: { msg: "step ${index + 1} on {{ inventory_hostname }}" }`).join('\n')}
    - name: a change
      ansible.builtin.command: "true"
      notify: told
    - name: a loop
      ansible.builtin.debug: { msg: "{{ item }}" }
      loop: [one, two, three]
    - name: skipped on databases
      ansible.builtin.debug: { msg: web }
      when: inventory_hostname.startswith('web')
    - name: ignored
      ansible.builtin.command: "false"
      ignore_errors: true
    - block:
        - name: rescued
          ansible.builtin.fail: { msg: on purpose }
      rescue:
        - name: to the rescue
          ansible.builtin.debug: { msg: saved }
    - name: statistics
      ansible.builtin.set_stats: { data: { release: "1.2.3" }, aggregate: false }
  handlers:
    - name: told
      ansible.builtin.debug: { msg: handled }
`

const files = {
  'fifty.yml': fifty,
  'fails.yml':
    '- hosts: all\n  gather_facts: false\n  tasks:\n    - name: Install\n      ansible.builtin.fail: { msg: "no package nginx" }\n      when: inventory_hostname == "web2"\n',
  'unreachable.yml':
    '- hosts: web1\n  gather_facts: false\n  vars: { ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 1 }\n  tasks: [{ ansible.builtin.ping: {} }]\n',
  'syntax.yml': '- hosts: all\n  tasks:\n    - ansible.builtin.debug: { msg: "{{ open"\n',
  'no-role.yml': '- hosts: all\n  roles: [there_is_no_such_role]\n',
}

let mayfly: Mayfly
let catalog: Catalog

beforeAll(async () => {
  mayfly = await startMayfly()
  catalog = await makeCatalog(mayfly, { files, hosts })
})
afterAll(() => mayfly?.stop())

interface Event {
  counter: number
  event: string
  stdout: string
  start_line: number
  end_line: number
  event_data: { host?: string; task?: string }
}

async function allEvents(job: number): Promise<Event[]> {
  const events: Event[] = []
  for (let page: string | null = `/jobs/${job}/job_events/?page_size=200&no_truncate=true&order_by=counter`; page; ) {
    const body: { results: Event[]; next: string | null } = await mayfly.get(page)
    events.push(...body.results)
    page = body.next
  }
  return events
}

/** Runs the same play by ansible-runner on this machine and returns its events. */
async function locally(): Promise<Event[]> {
  const { runner, env } = await controlPlaneAnsible()
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-local-run-'))
  try {
    for (const name of ['project', 'inventory', 'env']) mkdirSync(join(folder, name))
    writeFileSync(join(folder, 'project', 'fifty.yml'), fifty)
    const indented = localHost.replace(/^/gm, '      ')
    writeFileSync(
      join(folder, 'inventory', 'hosts.yml'),
      `all:\n  hosts:\n${hosts.map((host) => `    ${host}:\n${indented}\n`).join('')}`,
    )
    writeFileSync(
      join(folder, 'env', 'envvars'),
      '{"ANSIBLE_FORCE_COLOR": "True", "ANSIBLE_HOST_KEY_CHECKING": "False"}',
    )
    const [program = '', ...args] = runner
    try {
      execFileSync(program, [...args, 'run', folder, '-p', 'fifty.yml', '--ident', 'local', '-q'], {
        env: { ...process.env, ...env },
      })
    } catch (error) {
      // Its exit code is the play's; its events are what counts here.
      if (!(error instanceof Error && 'status' in error)) throw error
    }
    const events = join(folder, 'artifacts', 'local', 'job_events')
    return readdirSync(events)
      .map((name) => JSON.parse(readFileSync(join(events, name), 'utf8')) as Event)
      .sort((one, other) => one.counter - other.counter)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What two runs have in common; the order of hosts within a task is Ansible's own choice, so both are sorted by task. */
function essence(events: Event[]): string[] {
  return events.map(({ event, event_data: data }) => [event, data.task ?? '', data.host ?? ''].join(' | ')).sort()
}

/** Output without what differs between two runs by nature: durations, the order of hosts, the folder they ran in. */
function lines(stdout: string): string[] {
  return stdout
    .replaceAll(/\/\S+?\/project\//g, '/project/')
    .split('\r\n')
    .filter((line) => !/"(start|end|delta)":/.test(line))
    .sort()
}

test('rows 4 and 5: fifty tasks on five hosts: status, events, summaries and output are those of a local run', async () => {
  const template = await makeTemplate(mayfly, catalog, 'fifty.yml')
  const [job, local] = await Promise.all([launch(mayfly, template), locally()])
  expect(await mayfly.ended(`/jobs/${job}/`)).toMatchObject({ status: 'successful', job_explanation: '' })

  const events = await allEvents(job)
  expect(events.map(({ counter }) => counter)).toEqual(events.map((_, index) => index + 1))
  expect(essence(events)).toEqual(essence(local))
  for (const [index, event] of events.entries()) {
    expect(event.start_line, `event ${event.counter} begins where the one before it ended`).toBe(
      events[index - 1]?.end_line ?? 0,
    )
  }
  expect(lines(events.map(({ stdout }) => stdout).join('\r\n'))).toEqual(
    lines(local.map(({ stdout }) => stdout).join('\r\n')),
  )

  const { results: summaries } = await mayfly.get<{ results: Record<string, unknown>[] }>(
    `/jobs/${job}/job_host_summaries/`,
  )
  expect(summaries.map(({ host_name }) => host_name).sort()).toEqual([...hosts].sort())
  for (const summary of summaries) {
    const skipped = String(summary.host_name).startsWith('db') ? 1 : 0
    expect(summary).toMatchObject({ failed: false, failures: 0, dark: 0, ignored: 1, rescued: 1, skipped, changed: 2 })
  }
  expect(await mayfly.get(`/jobs/${job}/`)).toMatchObject({
    event_processing_finished: true,
    artifacts: { release: '1.2.3' },
    host_status_counts: { changed: 5 },
    playbook_counts: { play_count: 1 },
    instance_group: catalog.group,
    execution_node: '',
  })

  const stdout = await mayfly.api('GET', `/jobs/${job}/stdout/?format=ansi_download`)
  // The runner drops the blank line after the recap, as AWX does; every other line is there.
  expect(stdout.text.trimEnd().split('\n')).toHaveLength((events.at(-1)?.end_line ?? 0) - 1)
})

test.each([
  [
    'row 4: a failing play',
    'fails.yml',
    'failed',
    /failed on 1 of 5 hosts \(web2\) at task "Install": no package nginx/,
  ],
  ['an unreachable host', 'unreachable.yml', 'failed', /Unreachable: web1: .*ssh/i],
  ['a syntax error', 'syntax.yml', 'failed', /Ansible could not run the play\. .*(YAML|syntax)/i],
  ['a play that cannot start', 'no-role.yml', 'failed', /Ansible could not run the play\. .*there_is_no_such_role/],
])('%s', async (_name, playbook, status, explanation) => {
  const job = await launch(mayfly, await makeTemplate(mayfly, catalog, playbook))
  const ended = await mayfly.ended(`/jobs/${job}/`)
  expect(ended.status).toBe(status)
  expect(ended.job_explanation).toMatch(explanation)
})

test('a job whose only group has no pods says so at once', async () => {
  const { results } = await mayfly.get<{ results: { id: number }[] }>('/instance_groups/?name=controlplane')
  const template = await makeTemplate(mayfly, { ...catalog, group: results[0]?.id ?? 0 }, 'fails.yml')
  const ended = await mayfly.ended(`/jobs/${await launch(mayfly, template)}/`)
  expect(ended).toMatchObject({ status: 'error' })
  expect(ended.job_explanation).toMatch(/None of the instance groups of this job is a container group/)
})

test('a project whose kind of source control is not there says so', async () => {
  const { organization } = catalog
  const { id } = await mayfly.post('/projects/', {
    name: 'old',
    organization,
    scm_type: 'svn',
    scm_url: 'svn://127.0.0.1/x',
  })
  const { results } = await mayfly.get<{ results: { id: number }[] }>(`/project_updates/?project=${id}`)
  const ended = await mayfly.ended(`/project_updates/${results[0]?.id}/`)
  expect(ended).toMatchObject({ status: 'failed' })
  expect(ended.job_explanation).toMatch(/source control type "svn" cannot be updated/)
})
