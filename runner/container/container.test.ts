import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { ContainerSpec } from '../../model/container.ts'
import type { SpoolRecord } from '../stream.ts'
import { ContainerReader } from './reader.ts'
import { containerScript, recordMarker } from './script.ts'

const folder = mkdtempSync(join(tmpdir(), 'container-job-'))
afterAll(() => rmSync(folder, { recursive: true }))
const marker = recordMarker('an installation', 7, 1)
const shells = ['sh', 'bash']

/** What a container job's script prints on this machine. Its fixed folders are moved into the test's own. */
function run(shell: string, spec: Partial<ContainerSpec>, more: { timeoutSeconds?: number } = {}): Buffer {
  rmSync(join(folder, 'spool'), { recursive: true, force: true })
  mkdirSync(join(folder, 'spool'))
  const script = containerScript({
    jobId: 47,
    spec: { command: ['true'], env: {}, files: {}, artifacts: [], working_directory: '', ...spec },
    variables: { version: "1 'quoted'" },
    credentials: { env: { TOKEN: 'sesame' }, files: [] },
    timeoutSeconds: 0,
    marker,
    ...more,
  }).replaceAll('/mayfly/', `${folder}/`)
  const done = spawnSync(shell, ['-s'], {
    input: script,
    maxBuffer: 64 << 20,
    env: { PATH: process.env.PATH },
    timeout: 120_000,
  })
  return done.stdout
}

function read(bytes: Buffer, cut = bytes.length, from = { offset: 0, lastCounter: 0 }): SpoolRecord[] {
  const reader = new ContainerReader({ marker, ...from })
  const records: SpoolRecord[] = []
  for (let at = from.offset; at < bytes.length; at += cut) records.push(...reader.push(bytes.subarray(at, at + cut)))
  return [...records, ...reader.finish()]
}

const lines = (records: SpoolRecord[]) =>
  records.flatMap((record) => (record.kind === 'event' ? [String(record.event.stdout)] : []))
const last = (records: SpoolRecord[]) => records.findLast((record) => record.kind === 'status')?.status

describe.each(shells)('a container job under %s', (shell) => {
  test('prints lines, takes variables, gives results and files back', () => {
    const bytes = run(shell, {
      command: [
        'sh',
        '-c',
        `printf 'one\n\nthree '; echo $TOKEN "$A" >&2; cat "$MAYFLY_VARS"; echo '{"built": 3}' >$MAYFLY_RESULTS; printf 'x\n' >${folder}/out`,
      ],
      env: { A: "it's $HOME" },
      artifacts: [`${folder}/out`, `${folder}/none`],
    })
    const records = read(bytes)
    expect(lines(records)).toEqual(['one', '', "three sesame it's $HOME", `{"version":"1 'quoted'"}`])
    expect(last(records)).toEqual({
      status: 'successful',
      exit_code: 0,
      results: { built: 3 },
      notes: [`The command left no file ${folder}/none.`],
    })
    expect(records.at(-1)).toEqual({ kind: 'eof', end: bytes.length })
    const zip = Buffer.concat(records.flatMap((record) => (record.kind === 'artifacts-data' ? [record.data] : [])))
    writeFileSync(join(folder, 'zip'), zip)
    const listed = spawnSync('python3', [
      '-c',
      'import sys,zipfile as z; f=z.ZipFile(sys.argv[1]); print(f.testzip(), f.namelist())',
      join(folder, 'zip'),
    ])
    expect(String(listed.stdout)).toBe(`None ['${folder.slice(1)}/out']\n`)
  })

  test.each([
    [['false'], { status: 'failed', exit_code: 1 }],
    [['no-such-program'], { status: 'failed', exit_code: 127 }],
    [['sh', '-c', 'kill -KILL $$'], { status: 'failed', exit_code: 137 }],
  ])('%j ends as %j', (command, expected) => {
    expect(last(read(run(shell, { command })))).toMatchObject(expected)
  })

  test('a time limit ends the command', () => {
    const records = read(run(shell, { command: ['sleep', '600'] }, { timeoutSeconds: 1 }))
    expect(last(records)).toMatchObject({ status: 'timeout' })
  })

  test('files are written before, and a folder that is missing is named', () => {
    const path = `${folder}/new/folder/file.txt`
    const content = "a 'b' $C \\n\n"
    run(shell, { files: { [path]: content } })
    expect(readFileSync(path, 'utf8')).toBe(content)
    const records = read(run(shell, { working_directory: '/no/such' }))
    expect(lines(records).at(-1)).toContain('the image has no folder /no/such')
    expect(last(records)).toMatchObject({ status: 'failed', exit_code: 125 })
  })
})

test('cut anywhere and taken up anywhere the output is the same', () => {
  const bytes = Buffer.concat([
    Buffer.from('one\n\n\ntwo \xe9\r\n', 'latin1'),
    Buffer.from(`\n${marker} results 9\n{"a":"1"}\n${marker} artifact 3 /x\na\nb\n${marker} result 0 0\n`),
  ])
  const whole = read(bytes)
  expect(lines(whole)).toEqual(['one', '', '', 'two \udce9\r'])
  expect(last(whole)).toMatchObject({ status: 'successful', results: { a: '1' } })
  const events = whole.flatMap((record) => (record.kind === 'event' ? [record] : []))
  expect(events.map(({ event }) => [event.counter, event.start_line, event.end_line])).toEqual([
    [1, 0, 1],
    [2, 1, 2],
    [3, 2, 3],
    [4, 3, 4],
  ])
  for (let cut = 1; cut < bytes.length; cut++) expect(lines(read(bytes, cut))).toEqual(lines(whole))
  for (const { end, event } of events) {
    const rest = read(bytes, 5, { offset: end, lastCounter: event.counter })
    expect(lines(rest)).toEqual(lines(whole).slice(event.counter))
    expect(rest.at(-1)).toEqual({ kind: 'eof', end: bytes.length })
  }
})

test('output that was cut off is kept, and has no end', () => {
  const records = read(Buffer.from('one\n\nhalf a li'))
  expect(lines(records)).toEqual(['one', '', 'half a li'])
  expect(records.some(({ kind }) => kind === 'eof')).toBe(false)
})

test('the marker of an attempt is its own', () => {
  expect(recordMarker('an installation', 7, 2)).not.toBe(marker)
})
