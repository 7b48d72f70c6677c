import { expect, test } from 'vitest'
import { parsePartRecord, parseStackRecord } from './state.ts'

const part = {
  identity: { pid: 7, startTime: '99', bootId: 'b' },
  command: { program: '/bin/true', args: ['-x'], log: '/l' },
}

test('records come back as they were written', () => {
  const record = { index: 2, ports: { temporal: 21_200 }, runningSince: 'boot' }
  expect(parseStackRecord(JSON.stringify(record))).toEqual(record)
  expect(parsePartRecord(JSON.stringify(part))).toEqual(part)
})

test.each(['', '{', 'null', '[]', '{"index":"1","ports":{}}', '{"index":1}', '{"index":1,"ports":{"etcd":"x"}}'])(
  'what is not a stack record is none: %j',
  (text) => expect(parseStackRecord(text)).toBeUndefined(),
)

test.each([
  '',
  '{"identity":{}}',
  JSON.stringify({ ...part, identity: { ...part.identity, pid: '7' } }),
  JSON.stringify({ ...part, command: { program: '/bin/true' } }),
])('what is not a part record is none: %j', (text) => expect(parsePartRecord(text)).toBeUndefined())
