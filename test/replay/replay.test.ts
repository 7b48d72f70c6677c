/**
 * Whatever a workflow did in any release, the code as it is does again: a job that was started before an upgrade goes on after it. Where this
 * fails, the changed branch of the workflow belongs behind `patched('…')`; the histories are never made anew to fit.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker'
import { beforeAll, expect, test } from 'vitest'
import { workflowBundle } from '../../worker/workflow-bundle.ts'
import * as workflows from '../../workflows/bundle.ts'
import { workflowTypes } from '../../workflows/names.ts'
import type { JobInput } from '../../workflows/types.ts'
import { course, type HistoryJson, keptHistories } from './history.ts'

const histories = keptHistories()
let bundle: { codePath: string }

beforeAll(async () => {
  const filter = makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' })
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter } } })
  // Named after what it is made of, so that it is built once for as long as the workflows stay as they are.
  bundle = await workflowBundle(join(tmpdir(), 'mayfly-replay'))
})

/** Names of the histories that do not fit, with the reason. */
async function misfits(kept: { name: string; history: HistoryJson }[]): Promise<string[]> {
  const replayed = Worker.runReplayHistories(
    { workflowBundle: bundle, replayName: 'kept-histories' },
    kept.map(({ name, history }) => ({ workflowId: name, history })),
  )
  const failures: string[] = []
  for await (const { workflowId, error } of replayed) if (error) failures.push(`${workflowId}: ${error.message}`)
  return failures
}

test('every kept history is replayed to the same commands', async () => {
  expect(await misfits(histories)).toEqual([])
})

test('a history that asked for something else does not fit', async () => {
  const of = (name: string) => histories.find((kept) => kept.name === name) ?? expect.fail(`there is no ${name}`)
  const text = JSON.stringify(of('job.successful').history)
  const history = JSON.parse(text.replaceAll('"prepare"', '"prepareInventoryUpdate"')) as HistoryJson
  const [misfit] = await misfits([{ name: 'another order of activities', history }])
  expect(misfit).toMatch(/another order of activities: .*[Nn]ondeterminism/)
})

test('a job that this release started and a worker of an earlier one began fits, too', async () => {
  const { history } =
    histories.find(({ name }) => name === 'job.successful.2') ?? expect.fail('there is no such history')
  const begun = structuredClone(history)
  const started = begun.events[0]?.workflowExecutionStartedEventAttributes as {
    input: { payloads: { data: string }[] }
  }
  const [payload] = started.input.payloads
  if (!payload) expect.fail('it has no input')
  const input = JSON.parse(Buffer.from(payload.data, 'base64').toString()) as JobInput
  expect(input.preparesHere).toBe(undefined)
  expect(course(begun)).toContainEqual(expect.stringContaining('MARKER_RECORDED core_patch'))
  payload.data = Buffer.from(JSON.stringify({ ...input, preparesHere: true } satisfies JobInput)).toString('base64')
  expect(await misfits([{ name: 'begun before', history: begun }])).toEqual([])
})

test('there is a history of every workflow type that the bundle exports, and of every course only one', () => {
  const types = [...new Set(histories.map(({ name }) => name.split('.')[0]))].sort()
  expect(types).toEqual(Object.keys(workflows).sort())
  expect(types).toEqual(Object.values(workflowTypes).sort())
  for (const { name, history } of histories) {
    const started = history.events[0]?.workflowExecutionStartedEventAttributes as { workflowType: { name: string } }
    expect(started.workflowType.name, name).toBe(name.split('.')[0])
  }
  const courses = new Map<string, string[]>()
  for (const { name, history } of histories) {
    const scenario = name.replace(/\.\d+$/, '')
    const key = `${scenario}\n${course(history).join('\n')}`
    courses.set(key, [...(courses.get(key) ?? []), name])
  }
  expect([...courses.values()].filter((names) => names.length > 1)).toEqual([])
})

test('what is kept is small and says nothing of the machine that it came from', () => {
  for (const { name, history } of histories) {
    const text = JSON.stringify(history)
    expect(text.length, name).toBeLessThan(name.startsWith('workflowJob.') ? 300_000 : 60_000)
    const payloads = [...text.matchAll(/"data":"([A-Za-z0-9+/=]*)"/g)].map(([, data = '']) =>
      Buffer.from(data, 'base64').toString(),
    )
    for (const said of [text, ...payloads]) {
      expect(said, name).not.toMatch(/"identity"|"stackTrace"|file:\/\/|\/root\/|\/home\/|\/work\/|password|Bearer /)
    }
  }
})
