/** Temporal goes away: launches are kept, jobs that wait say for what, those that run go on, and the rest follows when it is back. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { CutProxy } from '../kubernetes/cut-proxy.ts'
import { launch, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { steadyPlay, Witness } from '../setup/witness.ts'

let proxy: CutProxy
let mayfly: Mayfly
let witness: Witness
let template: number

const [host = '', temporalPort] = inject('stack').temporalAddress.split(':')

beforeAll(async () => {
  proxy = await CutProxy.start(host, Number(temporalPort))
  mayfly = await startMayfly({ env: { TEMPORAL_ADDRESS: `127.0.0.1:${proxy.port}` } })
  witness = new Witness(mayfly)
  const catalog = await makeCatalog(mayfly, { files: { 'steady.yml': steadyPlay } })
  template = await makeTemplate(mayfly, catalog, 'steady.yml', { allow_simultaneous: true })
})
afterAll(async () => {
  await witness?.stop()
  await mayfly?.stop()
  await proxy?.stop()
})

test('launch, cancel and output while it is away', async () => {
  const first = await launch(mayfly, template)
  await mayfly.ended(`/jobs/${first}/`)
  const expectedOutput = await witness.output(first)
  const { job: running } = await witness.launchedUntilRead(() => launch(mayfly, template))
  const worker = mayfly.pid('worker')

  const { port } = proxy
  await proxy.stop()
  const waiting = await launch(mayfly, template)
  const cancelled = await launch(mayfly, template)
  const explanation = async (job: number) =>
    (await mayfly.get<{ status: string; job_explanation: string }>(`/jobs/${job}/`)).job_explanation
  await expect
    .poll(() => explanation(waiting))
    .toMatch(/^Waiting since \S+Z to be handed to Temporal: tcp connect error/)
  expect(await mayfly.get(`/jobs/${waiting}/`)).toMatchObject({ status: 'pending', started: null })
  expect((await mayfly.api('POST', `/jobs/${cancelled}/cancel/`)).status).toBe(202)
  // Its output still comes, and is readable.
  await expect.poll(() => witness.output(running)).toContain('all twelve')
  expect((await mayfly.api('GET', '/ping/')).status).toBe(200)
  await sleep(5_000)
  proxy = await CutProxy.start(host, Number(temporalPort), port)

  for (const job of [running, waiting]) await witness.expectUntouched(job, expectedOutput)
  expect(await mayfly.ended(`/jobs/${cancelled}/`)).toMatchObject({ status: 'canceled' })
  await witness.expectNothingLeft()
  expect(witness.podsOf(cancelled)).toBe(0)
  expect(mayfly.pid('worker')).toBe(worker)
  console.log(
    `waited as: ${
      mayfly
        .logs('worker')
        .split('\n')
        .filter((line) => line.includes('Temporal did not')).length
    } refused sends`,
  )
})
