import { expect, test } from 'vitest'
import { readableLine } from './log.ts'

const at = (fields: object) => JSON.stringify({ level: 40, time: Date.UTC(2026, 0, 2), pid: 7, ...fields })

test('a line for people has time, level, message and the rest', () => {
  const line = readableLine(
    at({ msg: 'waiting for Temporal', address: '127.0.0.1:7233', reason: 'not there', retryMs: 250 }),
  )
  expect(line).toMatch(
    /^\d\d:\d\d:\d\d warn {2}waiting for Temporal {2}address=127.0.0.1:7233 {2}reason="not there" {2}retryMs=250\n$/,
  )
})

test('a stack stands below its line, indented', () => {
  const line = readableLine(at({ msg: 'broke', error: { message: 'no', stack: 'Error: no\n    at here' } }))
  expect(line.split('\n').slice(1)).toEqual(['  Error: no', '      at here', ''])
})
