import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { EventRow } from '../model/event.ts'
import { toEventRow } from './event.ts'
import { artifactData, countPlays, hostStatusCounts, hostSummaries } from './results.ts'
import { type RunnerEvent, SpoolReader } from './stream.ts'

function rowsOf(fixture: string): EventRow[] {
  const records = new SpoolReader().push(readFileSync(new URL(`./fixtures/${fixture}.stream`, import.meta.url)))
  return records.flatMap((record) => (record.kind === 'event' ? [toEventRow(record.event)] : []))
}

const event = (extra: Record<string, unknown>): RunnerEvent => ({ event: 'verbose', uuid: 'u', counter: 1, ...extra })
const statsOf = (rows: EventRow[]) =>
  rows.filter((row) => row.event === 'playbook_on_stats')[0] ?? toEventRow(event({}))

describe('captured events', () => {
  test('lines have no gap', () => {
    for (const fixture of ['worker-ok', 'worker-all-events', 'worker-bad-playbook', 'worker-adhoc']) {
      let next = 0
      for (const row of rowsOf(fixture)) {
        expect(row.startLine).toBe(next)
        next = row.endLine
      }
    }
  })

  test('a failing play', () => {
    const rows = rowsOf('worker-failed')
    const failed = rows.filter((row) => row.failed)
    expect(failed.map((row) => [row.event, row.hostName])).toEqual([
      ['runner_on_failed', 'web2'],
      ['playbook_on_stats', ''],
    ])
    expect(failed[0]).toMatchObject({ play: expect.any(String), task: expect.any(String), playbook: 'site.yml' })
    const summaries = hostSummaries(statsOf(rows))
    expect(summaries.map((one) => [one.hostName, one.failures, one.failed])).toEqual([
      ['web1', 0, false],
      ['web2', 1, true],
    ])
    expect(hostStatusCounts(summaries)).toMatchObject({ failures: 1 })
  })

  test('unreachable hosts', () => {
    const rows = rowsOf('worker-unreachable')
    expect(hostStatusCounts(hostSummaries(statsOf(rows)))).toEqual({ dark: 2 })
    expect(rows.filter((row) => row.event === 'runner_on_unreachable').every((row) => row.failed)).toBe(true)
  })

  test('an ignored failure is none, a change is one', () => {
    const rows = rowsOf('worker-all-events')
    const ignored = rows.filter((row) => row.event === 'runner_on_failed' && row.eventData.ignore_errors)
    expect(ignored.length).toBeGreaterThan(0)
    expect(ignored.some((row) => row.failed)).toBe(false)
    expect(rowsOf('worker-ok').some((row) => row.event === 'runner_on_ok' && row.changed)).toBe(true)
  })

  test('set_stats are the artifacts', () => {
    expect(artifactData(statsOf(rowsOf('worker-set-stats')))).toEqual({
      release: '1.2.31.2.3',
      hosts_seen: ['web1', 'web2'],
    })
  })

  test('plays and tasks are counted over batches', () => {
    const rows = rowsOf('worker-all-events')
    const zero = { playCount: 0, taskCount: 0 }
    const whole = countPlays(zero, rows)
    expect(whole.taskCount).toBeGreaterThan(10)
    expect(countPlays(countPlays(zero, rows.slice(0, 20)), rows.slice(20))).toEqual(whole)
  })

  test('a time without zone is UTC, one with zone stays', () => {
    expect(rowsOf('worker-ok')[0]?.created).toMatch(/^2026-11-21T\d\d:\d\d:\d\d\.\d+\+00:00$/)
    expect(rowsOf('worker-keepalive')[0]?.created).toMatch(/\d\+00:00$/)
    expect(toEventRow(event({ created: '2026-01-01T00:00:00Z' })).created).toBe('2026-01-01T00:00:00Z')
  })
})

describe('what a database cannot hold', () => {
  test('bytes that are not UTF-8 and NUL keep their bytes beside', () => {
    const line = Buffer.from(
      '{"event":"verbose","uuid":"u","counter":1,"stdout":"a\\udcff\\u0000\\ud83d\\ude00\\udce2"}\n',
    )
    const [record] = new SpoolReader().push(line)
    const row = record?.kind === 'event' ? toEventRow(record.event) : null
    expect(row?.stdout).toBe('a\ufffd\u2400😀\ufffd')
    expect(row?.stdoutRaw).toEqual(Buffer.from([0x61, 0xff, 0x00, 0xf0, 0x9f, 0x98, 0x80, 0xe2]))
    expect(toEventRow(event({ stdout: 'plain é 😀' })).stdoutRaw).toBeUndefined()
  })

  test('names are clean and at most 1024 characters', () => {
    const data = { task: ` ${'😀'.repeat(2000)}`, host: 'web\u00001', play: 'p'.repeat(1024), role: 7 }
    const row = toEventRow(event({ event_data: data }))
    expect([...row.task]).toHaveLength(1024)
    expect(row.task.endsWith('😀…')).toBe(true)
    expect(row).toMatchObject({ hostName: 'web\u24001', play: 'p'.repeat(1024), role: '' })
  })

  test('fields of a wrong type count as absent', () => {
    const row = toEventRow(event({ stdout: 5, event_data: [], start_line: '3', parent_uuid: null, created: 'now' }))
    expect(row).toMatchObject({ stdout: '', eventData: {}, startLine: 0, parentUuid: '' })
    expect(Number.isNaN(Date.parse(row.created))).toBe(false)
  })
})

test('a host counts once, under the worst it has', () => {
  const data = {
    ok: { a: 3, b: 1, c: 1, d: 1 },
    changed: { b: 1, c: 1 },
    failures: { c: 1 },
    dark: { d: 1 },
    skipped: { e: 2 },
  }
  const summaries = hostSummaries(toEventRow(event({ event: 'playbook_on_stats', event_data: data })))
  expect(hostStatusCounts(summaries)).toEqual({ ok: 1, changed: 1, failures: 1, dark: 1, skipped: 1 })
  expect(hostSummaries(toEventRow(event({ event_data: data })))).toEqual([])
})
