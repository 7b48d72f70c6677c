/** Rows of the acceptance table (docs/acceptance.md) that no other test shows: where jobs run, room in the cluster, upgrades. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { V1Container, V1LimitRangeItem, V1Pod } from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { podLabels } from '../../model/attempt.ts'
import { clusterAdmin } from '../setup/cluster-admin.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { ownKubernetesNamespace, Undo } from '../setup/own-places.ts'
import { PodRecord } from '../setup/pods.ts'
import { countedQuota } from '../setup/quota.ts'
import { leastCredential } from '../setup/rights.ts'
import { type GroupFields, Scene } from '../setup/scene.ts'
import { expectNothingLeft } from '../setup/tidy.ts'
import { Refusals } from './refusals.ts'

const undo = new Undo()
let mayfly: Mayfly
let scene: Scene
/** Pods of the installation's own namespace. */
let pods: PodRecord
/** A group with the override of an older AWX. */
let older: number

const play = (task: string) => `- hosts: all\n  gather_facts: false\n  tasks: [${task}]\n`
const playbooks = {
  quick: play('{debug: {msg: done}}'),
  fails: play('{fail: {}}'),
  hold: play('{pause: {seconds: 300}}'),
}

beforeAll(async () => {
  mayfly = await startMayfly()
  undo.add(() => mayfly.stop())
  pods = await PodRecord.open(mayfly.stack, mayfly.kubernetesNamespace)
  undo.add(async () => pods.close())
  scene = await Scene.open(mayfly, playbooks)
  older = await scene.group({ pod_spec_override: override })
})
afterAll(() => undo.all())

/** A namespace of its own. */
async function place(name: string): Promise<string> {
  const namespace = `${mayfly.id}-${name}`
  await ownKubernetesNamespace(mayfly.stack, namespace, undo)
  return namespace
}

const inside = (namespace: string, worker: Partial<V1Container> = {}): GroupFields => ({
  pod_spec_override: JSON.stringify({ metadata: { namespace }, spec: { containers: [{ name: 'worker', ...worker }] } }),
})

/** A quota called `team` that the cluster has begun to count. */
const quota = (namespace: string, hard: Record<string, string>) => countedQuota(mayfly.stack, namespace, 'team', hard)

/** Uses a quota up by a pod of somebody else that no node ever takes. */
async function useUp(namespace: string, requests: Record<string, string>): Promise<void> {
  const body: V1Pod = {
    metadata: { name: 'others' },
    spec: {
      schedulingGates: [{ name: 'mayfly.dev/never' }],
      containers: [{ name: 'one', image: mayfly.stack.image, resources: { requests } }],
    },
  }
  await clusterAdmin(mayfly.stack).createNamespacedPod({ namespace, body })
}

const quotaIsTold = (text: RegExp) => (job: { job_explanation: string }) => text.test(job.job_explanation)

/** Repeats the whole pod of an older AWX, with a few changes. */
const override = `apiVersion: v1
kind: Pod
metadata: { labels: { team: red } }
spec:
  serviceAccountName: default
  automountServiceAccountToken: false
  containers:
    - image: registry.example/ee:2021
      imagePullPolicy: IfNotPresent
      name: worker
      args: [ansible-runner, worker, --private-data-dir=/runner]
      resources: { requests: { memory: 50Mi } }
      env: [{ name: FLAVOUR, value: plum }] # ours
`

/** Runs a job under the override: its pod has what the override says, this image, and else today's defaults. */
async function expectMerged(image: string): Promise<void> {
  const record = await PodRecord.open(mayfly.stack, mayfly.kubernetesNamespace)
  undo.add(async () => record.close())
  const job = await scene.run('quick', { group: older })
  expect(await mayfly.get(`/instance_groups/${older}/`)).toMatchObject({ pod_spec_override: override })
  expect(await scene.ended(job)).toMatchObject({ status: 'successful', job_explanation: '' })
  const [pod] = await record.seenOf(job)
  expect(pod?.metadata?.labels).toMatchObject({ team: 'red', [podLabels.job]: String(job) })
  const worker = pod?.spec?.containers.find(({ name }) => name === 'worker')
  expect(worker).toMatchObject({
    image,
    imagePullPolicy: 'IfNotPresent',
    env: [{ name: 'FLAVOUR', value: 'plum' }],
    resources: { requests: { cpu: '250m', memory: '50Mi' } },
  })
  expect(worker?.args?.[0]).toBe('sh')
  expect(worker?.volumeMounts?.map(({ mountPath }) => mountPath)).toContain('/mayfly/in')
}

describe.concurrent('groups and room', () => {
  test('row 1: container groups are associated with a job template, in their order', async ({ expect }) => {
    const first = await scene.group({})
    const path = `/job_templates/${await scene.template('quick', { group: first })}/instance_groups/`
    const [second, third] = [await scene.group({}), await scene.group({})]
    for (const id of [third, second]) {
      const answer = await mayfly.api('POST', path, { id })
      expect(answer).toMatchObject({ status: 204, text: '' })
    }
    const listed = async () => (await mayfly.get<{ results: { id: number }[] }>(path)).results.map(({ id }) => id)
    expect(await listed()).toEqual([first, third, second])
    expect(await mayfly.api('POST', path, { id: first, disassociate: true })).toMatchObject({ status: 204 })
    expect(await mayfly.api('POST', path, { id: first })).toMatchObject({ status: 204 })
    expect(await listed()).toEqual([third, second, first])
  })

  test('rows 2, 3 and 23: a job runs on its group, in the namespace of the override or else in the default one, and its pod is gone after it', async ({
    expect,
  }) => {
    const namespace = await place('override')
    const record = await PodRecord.open(mayfly.stack, namespace)
    undo.add(async () => record.close())
    const [overridden, plain] = [await scene.group(inside(namespace)), await scene.group({})]
    const { install_uuid } = await mayfly.get<{ install_uuid: string }>('/ping/')
    const jobs = [
      { group: overridden, namespace, record, playbook: 'quick', status: 'successful' },
      { group: plain, namespace: mayfly.kubernetesNamespace, record: pods, playbook: 'quick', status: 'successful' },
      { group: plain, namespace: mayfly.kubernetesNamespace, record: pods, playbook: 'fails', status: 'failed' },
    ]
    await Promise.all(
      jobs.map(async ({ group, namespace, record, playbook, status }) => {
        const id = await scene.run(playbook, { group })
        await scene.ended(id)
        const job = await mayfly.get<{ controller_node: string }>(`/jobs/${id}/`)
        expect(job).toMatchObject({
          status,
          instance_group: group,
          execution_node: '',
          summary_fields: { instance_group: { id: group, is_container_group: true } },
        })
        expect(job.controller_node).not.toBe('')
        await record.until(`no pod of job ${id}`, () => record.statesOf(id).length > 0 && !record.has(id))
        const names = new Set(record.statesOf(id).map((pod) => pod.metadata?.name))
        expect([...names]).toEqual([expect.stringMatching(`^automation-job-${id}-`)])
        expect(record.statesOf(id)[0]?.metadata).toMatchObject({
          namespace,
          labels: { [podLabels.install]: install_uuid, [podLabels.job]: String(id), [podLabels.group]: String(group) },
        })
      }),
    )
  })

  test('row 10: no job is sent into a quota that has just refused one, and the first goes in when there is room', async ({
    expect,
  }) => {
    const namespace = await place('full')
    await quota(namespace, { pods: '1' })
    await useUp(namespace, {})
    const refusals = Refusals.begin(mayfly.stack, namespace)
    // Without the right to read quotas only a refusal tells of one; with it see test/capacity/limits.test.ts.
    const credential = await leastCredential(mayfly, scene, namespace)
    const group = await scene.group({ ...inside(namespace), credential })
    const template = await scene.template('quick', { group })
    const first = await scene.launch(template)
    await scene.jobWhen(first, 'to wait', quotaIsTold(/Quota team is used up: pods 1 of 1 in use, 1 requested/))
    // The group has learned that trying every second is in vain.
    const pause = () => {
      const [before = 0, last = 0] = refusals.times().slice(-2)
      return last - before > 1_500 ? last : undefined
    }
    const last = await until({ what: 'a pause of the group', seconds: 180, everyMs: 20 }, pause)
    const others = [await scene.launch(template), await scene.launch(template), await scene.launch(template)]
    const later = () => refusals.times().find((time) => time > last)
    const next = await until({ what: 'the next try', seconds: 180, everyMs: 50 }, later)
    expect(next - last, 'milliseconds in which none of four jobs was sent').toBeGreaterThan(900)
    const places = async () => {
      const said = (await Promise.all(others.map((job) => scene.job(job)))).map(({ job_explanation: text }) => text)
      return said.map((text) => /Quota team is used up: .* Place (\d) in line\.$/.exec(text)?.[1]).toSorted()
    }
    await expect.poll(places).toEqual(['2', '3', '4'])
    await Promise.all(others.map((job) => scene.cancel(job)))
    for (const job of others) expect(await scene.ended(job)).toMatchObject({ status: 'canceled' })
    await clusterAdmin(mayfly.stack).deleteNamespacedPod({ namespace, name: 'others' })
    expect(await scene.ended(first)).toMatchObject({ status: 'successful', job_explanation: '' })
  })

  test('row 57: jobs say of quotas and limits what the documentation says', async ({ expect }) => {
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'quotas.md'), 'utf8')
    /** With the instant, the group and the job of the page. */
    const asOnPage = (text: string) =>
      text
        .replace(/^Waiting since \S+/, 'Waiting since 2026-11-21T13:17:15Z')
        .replace(/instance group '[^']+'/, "instance group 'cloud'")
        .replace(/automation-job-\d+-1/, 'automation-job-7-1')
    const told = new Set<string>()
    const expectOnPage = (text: string) => {
      expect(page).toContain(`| \`${asOnPage(text)}\` |`)
      told.add(asOnPage(text))
    }

    const limited = async () => {
      const group = await scene.group({ max_concurrent_jobs: 1 })
      const template = await scene.template('hold', { group })
      const holder = await scene.launch(template)
      await scene.jobWhen(holder, 'to run', ({ status }) => status === 'running')
      const waiting = await scene.launch(template)
      const { job_explanation } = await scene.jobWhen(waiting, 'to wait', quotaIsTold(/max_concurrent_jobs/))
      expectOnPage(job_explanation)
      for (const job of [waiting, holder]) await scene.cancel(job)
      await Promise.all([waiting, holder].map((job) => scene.ended(job)))
    }
    const usedUp = async () => {
      const namespace = await place('used-up')
      await quota(namespace, { 'requests.cpu': '2' })
      await useUp(namespace, { cpu: '2' })
      const job = await scene.run('quick', { group: await scene.group(inside(namespace)) })
      expectOnPage((await scene.jobWhen(job, 'to wait', quotaIsTold(/used up/))).job_explanation)
      await scene.cancel(job)
      await scene.ended(job)
      await clusterAdmin(mayfly.stack).deleteNamespacedPod({ namespace, name: 'others' })
    }
    const refused = async (fields: GroupFields) => {
      const { status, job_explanation } = await scene.ended(
        await scene.run('quick', { group: await scene.group(fields) }),
      )
      expect(status).toBe('error')
      expectOnPage(job_explanation)
    }
    const tooSmall = async () => {
      const namespace = await place('too-small')
      await quota(namespace, { 'requests.cpu': '100m' })
      await refused(inside(namespace))
    }
    const unstated = async () => {
      const namespace = await place('unstated')
      await quota(namespace, { 'limits.memory': '1Gi' })
      await refused(inside(namespace))
      const stated = { resources: { requests: { cpu: '100m' }, limits: { memory: '512Mi' } } }
      const job = await scene.run('quick', { group: await scene.group(inside(namespace, stated)) })
      expect(await scene.ended(job)).toMatchObject({ status: 'successful' })
    }
    const ranged = async () => {
      const namespace = await place('ranged')
      const limits: V1LimitRangeItem[] = [{ type: 'Container', max: { cpu: '200m' } }]
      const body = { metadata: { name: 'range' }, spec: { limits } }
      await clusterAdmin(mayfly.stack).createNamespacedLimitRange({ namespace, body })
      await refused(inside(namespace))
    }
    await Promise.all([limited(), usedUp(), tooSmall(), unstated(), ranged()])
    const documented = page.split('\n').flatMap((line) => /^\|.*\| `(\w+ .*)` \|$/.exec(line)?.[1] ?? [])
    expect(new Set(documented)).toEqual(told)
  })

  test('row 55: an override that repeats the whole pod of an older AWX keeps what it changes and gets everything else from this release', () =>
    expectMerged(mayfly.stack.image))
})

test('row 56: an upgrade that brings another default image changes the image although the override names one', async () => {
  const next = 'mayfly.local/ee:latest'
  mayfly.env.MAYFLY_EE_IMAGE = next
  await mayfly.restart('api')
  await expectMerged(next)
})

test('nothing is left, and the worker has no complaint', () => expectNothingLeft(mayfly))
