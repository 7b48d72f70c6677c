import { asyncLocalStorage, type Context } from '@temporalio/activity'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { channels } from '../store/channel.ts'
import type { Store } from '../store/database.ts'
import { requestCancel, transitionJob } from '../store/job-status.ts'
import { notify } from '../store/notify.ts'
import { takeJob } from '../store/ownership.ts'
import { readJob } from '../store/run-document.ts'
import { testStore } from '../store/testing.ts'
import { makeJob } from '../store/testing-data.ts'
import { createNoteCancelActivity } from './note-cancel.ts'

let store: Store
const told: string[] = []
let stop: () => Promise<void>
beforeAll(async () => {
  store = await testStore('pglite')
  stop = await store.listen(channels.cancels, (payload) => told.push(payload ?? ''))
})
afterAll(async () => {
  await stop()
  await store.close()
})

/** Notes a cancel as run `runId` of the job's workflow would. */
function noteAs(runId: string, jobId: number): Promise<void> {
  const context = { info: { workflowExecution: { workflowId: `job-${jobId}`, runId } } } as unknown as Context
  return asyncLocalStorage.run(context, () => createNoteCancelActivity({ store })({ jobId }))
}

/** What was told so far; notifications arrive in the order in which they were made. */
async function heard(): Promise<string[]> {
  const mark = Promise.withResolvers<void>()
  const unlisten = await store.listen(channels.reaperPasses, () => mark.resolve())
  await notify(store.db, channels.reaperPasses, 1)
  await mark.promise
  await unlisten()
  return told.splice(0)
}

async function ownedJob(runId: string): Promise<number> {
  const { id } = await makeJob(store.db)
  await takeJob(store.db, { jobId: id, workflowId: `job-${id}`, runId, before: null, restart: false })
  return id
}

test('a cancel of the workflow is on the row, and told at once', async () => {
  const id = await ownedJob('run-1')
  await noteAs('run-1', id)
  expect(await readJob(store.db, id)).toMatchObject({ cancelFlag: true })
  expect(await heard()).toEqual([String(id)])
})

test('one that the row knows of, of a job that has ended, or of a run that no longer owns the job changes nothing', async () => {
  const [known, ended, taken] = [await ownedJob('run-1'), await ownedJob('run-1'), await ownedJob('run-2')]
  await store.db.transaction((tx) => requestCancel(tx, known))
  await transitionJob(store.db, ended, 'error', { cause: 'internal' })
  await heard()
  for (const id of [known, ended, taken]) await noteAs('run-1', id)
  expect(await heard()).toEqual([])
  expect(await readJob(store.db, ended)).toMatchObject({ cancelFlag: false })
  expect(await readJob(store.db, taken)).toMatchObject({ cancelFlag: false })
})
