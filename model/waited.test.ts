import { expect, test } from 'vitest'
import { secondsOf, stagesOf, type WaitedJob } from './waited.ts'

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 21, 13) + seconds * 1000).toISOString()
const job = (changes: Partial<WaitedJob>): WaitedJob => ({
  ...{ created: at(0), waitingSince: null, started: null, finished: null, dependencies: [], turn: null, attempts: [] },
  ...changes,
})
const attempt = { group: 'k8s', claimed: at(30), ready: at(33), ended: null, released: null }
const told = (changes: Partial<WaitedJob>) =>
  stagesOf(job(changes)).map((stage) => {
    const { reason, what, until } = stage
    return [reason, what, secondsOf(stage, Date.parse(at(100))), until === null ? 'still' : 'over']
  })

test.each<[string, Partial<WaitedJob>, unknown[][]]>([
  ['just launched', {}, [['preparation', '', 100, 'still']]],
  [
    'in line',
    { waitingSince: at(1) },
    [
      ['preparation', '', 1, 'over'],
      ['capacity', '', 99, 'still'],
    ],
  ],
  [
    'an update first, which was made before',
    { dependencies: [{ name: 'project_update-12', created: at(-5), finished: at(9) }], waitingSince: at(10) },
    [
      ['dependency', 'project_update-12', 9, 'over'],
      ['capacity', '', 90, 'still'],
    ],
  ],
  [
    'its turn, still',
    { turn: { name: 'job-3', finished: null }, waitingSince: null },
    [['turn', 'job-3', 100, 'still']],
  ],
  [
    'it runs',
    { waitingSince: at(1), started: at(33), attempts: [attempt] },
    [
      ['preparation', '', 1, 'over'],
      ['capacity', 'k8s', 29, 'over'],
      ['pod', 'k8s', 3, 'over'],
    ],
  ],
  [
    'the second attempt waits for a place again',
    { waitingSince: at(1), started: at(33), attempts: [{ ...attempt, ended: at(50), released: at(60) }] },
    [
      ['preparation', '', 1, 'over'],
      ['capacity', 'k8s', 29, 'over'],
      ['pod', 'k8s', 3, 'over'],
      ['capacity', '', 40, 'still'],
    ],
  ],
  [
    'another attempt began its wait anew',
    { waitingSince: at(50), started: null, attempts: [{ ...attempt, ended: at(50), released: at(60) }] },
    [
      ['preparation', '', 30, 'over'],
      ['capacity', 'k8s', 0, 'over'],
      ['pod', 'k8s', 3, 'over'],
      ['capacity', '', 40, 'still'],
    ],
  ],
  [
    'it has ended',
    {
      waitingSince: at(1),
      started: at(33),
      finished: at(50),
      attempts: [{ ...attempt, ended: at(50), released: at(60) }],
    },
    [
      ['preparation', '', 1, 'over'],
      ['capacity', 'k8s', 29, 'over'],
      ['pod', 'k8s', 3, 'over'],
    ],
  ],
  [
    'cancelled in line',
    { waitingSince: at(1), finished: at(20) },
    [
      ['preparation', '', 1, 'over'],
      ['capacity', '', 19, 'over'],
    ],
  ],
])('what a job waited for: %s', (_, changes, stages) => {
  expect(told(changes)).toEqual(stages)
})
