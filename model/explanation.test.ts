import { expect, test } from 'vitest'
import { explainFailedPlay } from './explanation.ts'

const host = (name: string, failures = 0, dark = 0) => ({ name, failures, dark })

test('names the hosts, the task and what it said', () => {
  expect(
    explainFailedPlay({
      hosts: [host('web1'), host('web2', 1)],
      failedTasks: [{ host: 'web2', task: 'Install', message: 'No package matching nginx\nfound' }],
      errorLines: [],
    }),
  ).toEqual({
    cause: 'play_failed',
    text: 'The play failed on 1 of 2 hosts (web2) at task "Install": No package matching nginx.',
  })
})

test('tells unreachable hosts from failed ones', () => {
  const hosts = ['a', 'b', 'c', 'd', 'e'].map((name) => host(name, 0, 1))
  const { cause, text } = explainFailedPlay({
    hosts,
    failedTasks: [{ host: 'a', task: 'Gathering Facts', message: 'Connection refused' }],
    errorLines: [],
  })
  expect(cause).toBe('hosts_unreachable')
  expect(text).toBe('Unreachable: a, b, c and 2 more: Connection refused.')
})

test('a play that never began is explained by what Ansible said, without colours', () => {
  expect(
    explainFailedPlay({
      hosts: [],
      failedTasks: [],
      errorLines: ['\u001b[0;31m[ERROR]: YAML parsing failed\u001b[0m'],
    }),
  ).toEqual({ cause: 'play_did_not_start', text: 'Ansible could not run the play. [ERROR]: YAML parsing failed' })
})
