/**
 * Issue item 5: whatever Mayfly stands on is killed and started again while jobs are in different phases. Every job must end as if nothing had
 * happened. It restarts parts of the stack that all tests share, so it runs alone.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { restartPart } from '../../dev/stack.ts'
import { launch, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { expectNothingLeft } from '../setup/tidy.ts'
import { steadyPlay, Witness } from '../setup/witness.ts'

const undo = new Undo()
let mayfly: Mayfly
let witness: Witness
let template: number
let expectedOutput: string
/** Where jobs stood when a part was killed. */
const hits: string[] = []

beforeAll(async () => {
  mayfly = await startMayfly()
  undo.add(() => mayfly.stop())
  witness = new Witness(mayfly)
  undo.add(() => witness.stop())
  const catalog = await makeCatalog(mayfly, { files: { 'steady.yml': steadyPlay } })
  template = await makeTemplate(mayfly, catalog, 'steady.yml', { allow_simultaneous: true })
  const job = await launch(mayfly, template)
  expect(await mayfly.ended(`/jobs/${job}/`)).toMatchObject({ status: 'successful' })
  expectedOutput = await witness.output(job)
})
afterAll(() => undo.all())

test.each(['temporal', 'kube-apiserver', 'etcd', 'kubelet', 'postgres'])(
  '%s is killed and comes back',
  async (part) => {
    const { job: first } = await witness.launchedUntilRead(() => launch(mayfly, template))
    const second = await launch(mayfly, template)
    await sleep(300)
    const jobs = [first, second, await launch(mayfly, template)]
    for (const standing of (await witness.standings(jobs)).values()) hits.push(`${standing} while ${part}`)
    await restartPart(mayfly.stack.stackName, part)
    for (const job of jobs) await witness.expectUntouched(job, expectedOutput)
    await witness.expectNothingLeft()
  },
)

test('nothing is left, and the worker has no complaint', async () => {
  console.log(`where the restarts hit:\n${hits.join('\n')}`)
  await expectNothingLeft(mayfly)
})
