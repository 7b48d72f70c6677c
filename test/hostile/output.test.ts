/** Output as nobody should print it: one line of ten million characters, bytes that are no text, more lines than anybody reads. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launch, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Witness } from '../setup/witness.ts'

const lineLength = 10_000_000
const lineCount = 200_000

/**
 * A task that prints beside Ansible: Ansible itself refuses results that are no text, but whatever writes to its terminal, such as a plug-in,
 * is printed as it is. `out` is that terminal.
 */
const beside = (python: string) => `
  - name: beside
    ansible.builtin.command:
      argv: ["{{ ansible_playbook_python }}", "-c", "{{ code }}"]
    vars:
      code: |
        import glob
        for name in sorted(glob.glob('/proc/[0-9]*/cmdline'), key=lambda name: int(name.split('/')[2])):
            if any(word.endswith(b'playbook') for word in open(name, 'rb').read().split(b'\\0')[:4]):
                out = open(name.replace('cmdline', 'fd/1'), 'wb', buffering=0)
                break
        ${python}
`

const play = (tasks: string) => `- hosts: all\n  gather_facts: false\n  tasks:\n${tasks}`
const plays = {
  line: play(`  - ansible.builtin.debug: {msg: "{{ 'x' * ${lineLength} }}"}\n`),
  bytes: play(beside(String.raw`out.write(b'no utf-8 \xff\xfe, NUL \x00, \xc3\xa9, \x1b[31mred\x1b[0m, <b>\n')`)),
  lines: play(beside(String.raw`out.write(b''.join(b'short %d\n' % n for n in range(${lineCount})))`)),
}
type Play = keyof typeof plays

let mayfly: Mayfly
let witness: Witness
const jobs = new Map<Play, number>()
let memoryBefore: number

/** The most memory that a process ever had, in MB. */
const peakMemory = (part: 'api' | 'worker') => {
  const status = readFileSync(`/proc/${mayfly.pid(part)}/status`, 'utf8')
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024)
}

beforeAll(async () => {
  mayfly = await startMayfly()
  witness = new Witness(mayfly)
  const files = Object.fromEntries(Object.entries(plays).map(([name, text]) => [`${name}.yml`, text]))
  const catalog = await makeCatalog(mayfly, { files })
  memoryBefore = peakMemory('worker')
  for (const name of Object.keys(plays) as Play[]) {
    jobs.set(name, await launch(mayfly, await makeTemplate(mayfly, catalog, `${name}.yml`)))
  }
})
afterAll(async () => {
  await witness?.stop()
  await mayfly?.stop()
})

async function ended(name: Play): Promise<number> {
  const job = jobs.get(name) ?? 0
  expect(await mayfly.ended(`/jobs/${job}/`)).toMatchObject({ status: 'successful', job_explanation: '' })
  return job
}

/** Events are whole, and each one's lines begin where those before it ended. */
async function expectGapless(job: number): Promise<void> {
  const [found] = await witness.query(
    `SELECT count(*) = max(counter) AS whole, count(*) FILTER (WHERE start_line <> before)::int AS gaps
     FROM (SELECT counter, start_line, lag(end_line, 1, 0) OVER (ORDER BY counter) AS before
           FROM job_events WHERE job_id = $1) AS events`,
    job,
  )
  expect(found).toEqual({ whole: true, gaps: 0 })
}

async function stdout(job: number, format: string): Promise<{ status: number; type: string; bytes: Buffer }> {
  const response = await fetch(`${mayfly.url}/api/v2/jobs/${job}/stdout/?format=${format}`, {
    // None that is kept: the server ends it when it is idle for seconds, such as while the next job runs.
    headers: { authorization: mayfly.auth, connection: 'close' },
  })
  const type = response.headers.get('content-type')?.split(';')[0] ?? ''
  return { status: response.status, type, bytes: Buffer.from(await response.arrayBuffer()) }
}

const types = { api: 'text/html', html: 'text/html', txt: 'text/plain', ansi: 'text/plain', json: 'application/json' }

/** All formats but the downloads say only that there is too much of it. */
async function expectTooLargeToShow(job: number): Promise<void> {
  for (const [format, type] of Object.entries(types)) {
    const answer = await stdout(job, format)
    expect([format, answer.status, answer.type]).toEqual([format, 200, type])
    expect(answer.bytes.toString()).toMatch(/too large to display \(\d+ bytes\), only download supported/)
    expect(answer.bytes.length).toBeLessThan(2000)
  }
}

test('one line of ten million characters', async () => {
  const job = await ended('line')
  await expectGapless(job)
  await expectTooLargeToShow(job)
  for (const format of ['txt_download', 'ansi_download']) {
    const text = (await stdout(job, format)).bytes.toString()
    const begin = text.indexOf('xxx')
    expect(text.lastIndexOf('xxx') + 3 - begin).toBe(lineLength)
    expect(text.indexOf('x', begin + lineLength)).toBe(-1)
    expect(text).toMatch(/PLAY RECAP/)
  }
})

describe('bytes that are no text', () => {
  test('are kept as far as the runner keeps them, and shown as pictures', async () => {
    const job = await ended('bytes')
    await expectGapless(job)
    // The runner itself replaces what is no UTF-8; NUL it passes on.
    const plain = 'no utf-8 \ufffd\ufffd, NUL \0, é, red, <b>'
    const coloured = plain.replace('red', '\u001b[31mred\u001b[0m')
    const shown = (text: string) => text.replace('\0', '\u2400')
    expect((await stdout(job, 'txt_download')).bytes.toString()).toContain(`\n${plain}\n`)
    expect((await stdout(job, 'ansi_download')).bytes.toString()).toContain(`\n${coloured}\n`)
    const formats: [keyof typeof types, string][] = [
      ['txt', plain],
      ['ansi', coloured],
      ['json', JSON.stringify(coloured).slice(1, -1)],
      ['html', 'no utf-8 \ufffd\ufffd, NUL \0, é, <span class="ansi31">red</span>, &lt;b&gt;'],
    ]
    for (const [format, text] of formats) {
      const answer = await stdout(job, format)
      expect([format, answer.status, answer.type]).toEqual([format, 200, types[format]])
      const body = answer.bytes.toString()
      expect([format, body.includes(text) || body.includes(shown(text))]).toEqual([format, true])
    }
    const { results } = await mayfly.get<{ results: { stdout: string }[] }>(
      `/jobs/${job}/job_events/?stdout__contains=utf-8&event=verbose`,
    )
    expect(results.map((event) => event.stdout)).toEqual([shown(coloured)])
  })
})

test('two hundred thousand lines', async () => {
  const job = await ended('lines')
  await expectGapless(job)
  await expectTooLargeToShow(job)
  const text = (await stdout(job, 'txt_download')).bytes.toString()
  const printed = text.split('\n').filter((line) => line.startsWith('short '))
  expect(printed.length).toBe(lineCount)
  expect(printed.every((line, index) => line === `short ${index}`)).toBe(true)
  const page = await mayfly.get<{ count: number; results: { start_line: number }[] }>(
    `/jobs/${job}/job_events/?page=last&page_size=200`,
  )
  expect(page.count).toBeGreaterThan(lineCount)
})

test('memory is bounded whatever is printed', () => {
  const after = peakMemory('worker')
  console.log(`worker at most ${memoryBefore} MB before and ${after} MB after; API at most ${peakMemory('api')} MB`)
  expect(after - memoryBefore).toBeLessThan(200)
})
