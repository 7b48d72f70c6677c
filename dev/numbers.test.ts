import { expect, test } from 'vitest'
import { chooseIndex, choosePorts, podNetwork, portNames } from './numbers.ts'

const free = async (): Promise<boolean> => true
const notOurs = (): boolean => false

test('pod networks of different stacks do not overlap', () => {
  expect(podNetwork(0)).toEqual({ subnet: '10.244.0.0/20', gateway: '10.244.0.1', prefix: 20, bridge: 'mayfly0' })
  expect(podNetwork(15).subnet).toBe('10.244.240.0/20')
})

test('the smallest free index is taken, past indices whose bridge exists without a record', () => {
  expect(chooseIndex([0, 2], () => false)).toBe(1)
  expect(chooseIndex([0], (bridge) => bridge === 'mayfly1')).toBe(2)
  const all = Array.from({ length: 16 }, (_, index) => index)
  expect(() => chooseIndex(all, () => false)).toThrow('16 stacks')
})

test('every name gets a port of its own in the range of the index', async () => {
  const ports = await choosePorts(3, {}, notOurs, free)
  expect(Object.keys(ports)).toEqual([...portNames])
  expect(new Set(Object.values(ports)).size).toBe(portNames.length)
  expect(Object.values(ports).every((port) => port >= 21_300 && port < 21_400)).toBe(true)
})

test('a remembered port stays while it is free or ours, and changes when a stranger has it', async () => {
  const first = await choosePorts(0, {}, notOurs, free)
  const busy = new Set([first.temporal, first.etcd])
  const isFree = async (port: number): Promise<boolean> => !busy.has(port)
  const second = await choosePorts(0, first, (name) => name === 'temporal', isFree)
  expect(second.temporal).toBe(first.temporal)
  expect(second.etcd).not.toBe(first.etcd)
  expect(Object.values(first)).not.toContain(second.etcd)
  expect(second.kubelet).toBe(first.kubelet)
})

test('a full range is an error, not a port of the neighbour', async () => {
  await expect(choosePorts(0, {}, notOurs, async () => false)).rejects.toThrow('no free port between 21000 and 21099')
})
