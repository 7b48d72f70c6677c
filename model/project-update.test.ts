import { expect, test } from 'vitest'
import { overridesBranch, previousTask, updateOnLaunch } from './project-update.ts'

const wish = { launchedMs: 1000, nowMs: 10_000, cacheSeconds: 5 }

test.each([
  ['none so far', null, 'make'],
  ['one waits', { status: 'pending', startedMs: null, finishedMs: null }, 'join'],
  ['one runs since long', { status: 'running', startedMs: 1, finishedMs: null }, 'join'],
  ['one began after the launch', { status: 'successful', startedMs: 1000, finishedMs: 2000 }, 'join'],
  ['one began after the launch and failed', { status: 'failed', startedMs: 1500, finishedMs: 2000 }, 'join'],
  ['an old one is too old', { status: 'successful', startedMs: 900, finishedMs: 5000 }, 'make'],
  ['an old one is young enough', { status: 'successful', startedMs: 900, finishedMs: 5001 }, 'reuse'],
  ['an old one failed', { status: 'failed', startedMs: 900, finishedMs: 9999 }, 'make'],
  ['an old one was cancelled before it began', { status: 'canceled', startedMs: null, finishedMs: 9999 }, 'make'],
] as const)('update on launch: %s', (_what, newest, decision) => {
  expect(updateOnLaunch(newest, wish)).toBe(decision)
})

test('without a cache time-out no old update is young', () => {
  const newest = { status: 'successful', startedMs: 900, finishedMs: 10_000 } as const
  expect(updateOnLaunch(newest, { ...wish, cacheSeconds: 0 })).toBe('make')
})

test.each([
  ['', 'git', 'main', false],
  ['main', 'git', 'main', false],
  ['next', 'git', 'main', true],
  ['next', 'git', '', true],
  ['next', 'archive', '', false],
])('branch %j of a %s project on %j', (scmBranch, scmType, branch, expected) => {
  expect(overridesBranch({ scmBranch }, { scmType, scmBranch: branch })).toBe(expected)
})

test('the link to the previous task is what the clients parse, whatever the name', () => {
  const name = 'a "quoted": {name}, "x"'
  const text = previousTask('Failed', { type: 'project_update', name, id: 7 })
  expect(text.startsWith('Previous Task Failed: {"job_type": "project_update", "job_name": ')).toBe(true)
  expect(JSON.parse(text.slice(text.indexOf('{')))).toEqual({ job_type: 'project_update', job_name: name, job_id: '7' })
})
