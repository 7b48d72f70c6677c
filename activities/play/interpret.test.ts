import { expect, test } from 'vitest'
import { cause } from '../../model/cause.ts'
import type { Collected } from './collect.ts'
import { type Ending, interpretEnding } from './interpret.ts'

const collected = (changes: Partial<Collected>): Collected => ({
  status: null,
  complete: true,
  offset: 0,
  noise: [],
  damage: null,
  artifacts: null,
  ...changes,
})
const ending = (changes: Partial<Collected>, rest: Partial<Ending> = {}): Ending => ({
  collected: collected(changes),
  end: { exitCode: 0, stderrTail: '' },
  podEnding: null,
  pod: null,
  cancelRequested: false,
  outcome: { hosts: [], failedTasks: [], errorLines: [] },
  ...rest,
})

test.each<[string, Ending, string | undefined]>([
  ['success', ending({ status: { status: 'successful' } }), undefined],
  ['success without eof is none', ending({ status: { status: 'successful' }, complete: false }), 'runner_error'],
  [
    'success with a gap',
    ending({ status: { status: 'successful' }, damage: new Error('event 4 is missing') }),
    'output_damaged',
  ],
  ['failure before the first task', ending({ status: { status: 'failed' } }), 'play_did_not_start'],
  ['cancel on request', ending({ status: { status: 'canceled' } }, { cancelRequested: true }), 'canceled'],
  ['cancel without request', ending({ status: { status: 'canceled' } }), 'runner_shut_down'],
  [
    'cancel because the pod was deleted',
    ending({ status: { status: 'canceled' } }, { podEnding: cause('pod_deleted', 'Pod x was deleted.') }),
    'pod_deleted',
  ],
  [
    'killed with its pod',
    ending(
      { complete: false },
      { end: { exitCode: 137, stderrTail: '' }, podEnding: cause('pod_evicted', 'The node evicted the pod.') },
    ),
    'pod_evicted',
  ],
  [
    'a command that the kernel killed',
    ending({ status: { status: 'failed', exit_code: 137, out_of_memory: true } }),
    'out_of_memory',
  ],
  ['a command that somebody killed', ending({ status: { status: 'failed', exit_code: 137 } }), 'command_failed'],
  ['time-out', ending({ status: { status: 'timeout' } }), 'timed_out'],
  ['error of the runner', ending({ status: { status: 'error', job_explanation: 'Bad zip' } }), 'runner_error'],
  [
    'no runner in the image',
    ending({ complete: false }, { end: { exitCode: 127, stderrTail: 'not found' } }),
    'image_without_runner',
  ],
  ['killed', ending({ complete: false }, { end: { exitCode: 137, stderrTail: '' } }), 'out_of_memory'],
  [
    'killed while being cancelled',
    ending({ complete: false }, { end: { exitCode: 137, stderrTail: '' }, cancelRequested: true }),
    'canceled',
  ],
])('%s', (_name, given, kind) => {
  expect(interpretEnding(given)?.kind).toBe(kind)
})

test('what was printed beside the protocol is the evidence', () => {
  const found = interpretEnding(
    ending({ complete: false, noise: ['Traceback'] }, { end: { exitCode: 1, stderrTail: 'TypeError' } }),
  )
  expect(found?.detail).toBe('Traceback\nTypeError')
})
