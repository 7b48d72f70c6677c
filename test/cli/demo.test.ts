import { afterAll, beforeAll, expect, test } from 'vitest'
import { clusterAdmin } from '../setup/cluster-admin.ts'
import { runMayfly } from '../setup/command.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'

let mayfly: Mayfly

beforeAll(async () => {
  mayfly = await startMayfly({ inOne: true })
})
afterAll(() => mayfly.stop())

test('the demo configures its hosts, changes nothing the second time, and can be repeated', async () => {
  const first = await runMayfly(['demo'], mayfly.env)
  expect(first.output).toMatch(/PLAY RECAP[\s\S]*changed=[1-9][\s\S]*PLAY RECAP/)
  expect(first.output).toMatch(/status +successful +successful/)
  expect(first.output).toMatch(/changed +[1-9]\d* +0\n/)
  expect(first.output).toMatch(/pods left +0 +0\n/)
  expect(first.code).toBe(0)
  expect(first.output).not.toContain(mayfly.password)

  const again = await runMayfly(['demo'], mayfly.env)
  expect(again).toMatchObject({ code: 0, output: expect.stringMatching(/pods left +0 +0\n/) })
  const { items } = await clusterAdmin(mayfly.stack).listNamespacedPod({ namespace: mayfly.kubernetesNamespace })
  expect(items.map((pod) => pod.metadata?.name)).toEqual([])
})
