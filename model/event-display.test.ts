import { expect, test } from 'vitest'
import { cutStdout, eventDisplay, eventLevel } from './event-display.ts'

const event = (kind: string, more: Partial<Parameters<typeof eventDisplay>[0]> = {}) => ({
  ...{ event: kind, play: '', task: '', role: '', eventData: {} },
  ...more,
})

test.each([
  [event('playbook_on_play_start', { play: 'site' }), 'Play Started (site)', 1],
  [event('playbook_on_play_start'), 'Play Started', 1],
  [event('playbook_on_task_start', { task: 'say' }), 'Task Started (say)', 2],
  [event('playbook_on_task_start', { task: 'say', role: 'web' }), 'Task Started (web | say)', 2],
  [
    event('playbook_on_task_start', { task: 'restart', eventData: { is_conditional: true } }),
    'Handler Notified (restart)',
    2,
  ],
  [event('runner_on_ok', { task: 'say' }), 'Host OK', 3],
  [event('verbose'), 'Verbose', 0],
  [event('something_new'), 'something_new', 0],
])('%j', (row, display, level) => {
  expect([eventDisplay(row), eventLevel(row.event)]).toEqual([display, level])
})

test('long texts are cut to 1024 characters and what was coloured is ended', () => {
  const red = `\u001b[0;31m${'x'.repeat(2000)}\u001b[0m`
  expect(cutStdout('runner_on_ok', red)).toBe(`${red.slice(0, 1023)}…\u001b[0m`)
  const ended = `\u001b[0;31mred\u001b[0m${'x'.repeat(2000)}`
  expect(cutStdout('runner_on_ok', ended)).toBe(`${ended.slice(0, 1023)}…`)
  expect(cutStdout('playbook_on_stats', red)).toBe(red)
  expect(cutStdout('runner_on_ok', 'short')).toBe('short')
})

test('a character of two halves is not cut apart', () => {
  const text = `${'x'.repeat(1022)}😀${'x'.repeat(50)}`
  expect(cutStdout('runner_on_ok', text)).toBe(`${'x'.repeat(1022)}…`)
})
