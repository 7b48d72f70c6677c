/** A terminal in the pod of a job, over the API: who gets one, what it does, when it ends. */
import { spawn } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { until } from '../../dev/wait.ts'
import { clusterAdmin } from '../setup/cluster-admin.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Scene } from '../setup/scene.ts'

let mayfly: Mayfly
let job: number
const someone = { username: 'someone', password: 'else-entirely-9' }

beforeAll(async () => {
  mayfly = await startMayfly({ env: { MAYFLY_SHELLS_PER_JOB: '2' } })
  const scene = await Scene.open(mayfly, {
    hold: '- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: has begun}}, {pause: {seconds: 600}}]\n',
  })
  await mayfly.post('/users/', someone)
  job = await scene.run('hold')
  await scene.printed(job, 'has begun')
})
afterAll(() => mayfly?.stop())

/** A client: what it was sent, and how that ended. */
class Terminal {
  readonly socket: WebSocket
  printed = ''
  /** Text messages, parsed. */
  readonly told: Record<string, unknown>[] = []
  readonly closed: Promise<number>

  constructor(path: string, headers: Record<string, string> = { authorization: mayfly.auth }) {
    this.socket = new WebSocket(`${mayfly.url.replace('http', 'ws')}/api/v2${path}`, { headers })
    this.socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.printed += data.toString('utf8')
      else this.told.push(JSON.parse(data.toString('utf8')))
    })
    this.socket.on('error', () => {})
    this.closed = new Promise((resolve) => this.socket.once('close', resolve))
  }

  /** Resolves with null once it is open, else with the API's refusal. */
  opened(): Promise<{ status: number; detail: string } | null> {
    return new Promise((resolve, reject) => {
      this.socket.once('open', () => resolve(null))
      this.socket.once('unexpected-response', async (_request, response) => {
        let body = ''
        for await (const chunk of response) body += chunk
        const { detail } = JSON.parse(body)
        resolve({ status: response.statusCode ?? 0, detail: detail ?? body })
      })
      this.socket.once('error', reject)
    })
  }

  type(text: string): void {
    this.socket.send(Buffer.from(text))
  }

  /** Types a line and resolves when its output is there; what is typed is echoed, so the command must print something else. */
  async line(command: string, output: string): Promise<void> {
    this.type(`${command}\n`)
    await until({ what: () => `${output} after ${command}: ${this.printed}`, seconds: 180, everyMs: 20 }, async () =>
      this.printed.includes(output),
    )
  }
}

const audited = (message: string) =>
  mayfly
    .logs('api')
    .split('\n')
    .filter((line) => line.includes(message))
/** Resolves when the places of those who left are free. */
const allClosed = () =>
  until({ what: 'the shells to be closed', seconds: 180 }, () => {
    return audited('shell closed').length === audited('shell opened').length
  })

const open = async (path = `/jobs/${job}/shell/`) => {
  const terminal = new Terminal(path)
  expect(await terminal.opened()).toBeNull()
  return terminal
}
test('a terminal of the size asked for, that echoes, is resized, and ends with its exit code', async () => {
  const terminal = await open(`/jobs/${job}/shell/?columns=101&rows=31`)
  await terminal.line('stty size', '31 101')
  terminal.socket.send(JSON.stringify({ resize: { columns: 132, rows: 43 } }))
  await until({ what: 'the new size', seconds: 180, everyMs: 50 }, async () => {
    terminal.type('stty size\n')
    return terminal.printed.includes('43 132')
  })
  await terminal.line('echo in-$((40+2))', 'in-42')
  expect(terminal.printed).toContain('echo in-$((40+2))')
  await terminal.line('ls /mayfly', 'spool')
  terminal.type('exit 7\n')
  expect(await terminal.closed).toBe(1000)
  expect(terminal.told).toEqual([{ exit: { code: 7 } }])
})

test('the size is there before the command begins', async () => {
  const command = ['sh', '-c', 'stty size'].map((word) => `&command=${encodeURIComponent(word)}`).join('')
  for (let i = 0; i < 30; i++) {
    const terminal = await open(`/jobs/${job}/shell/?columns=101&rows=31${command}`)
    expect(await terminal.closed).toBe(1000)
    expect(terminal.printed.trim()).toBe('31 101')
  }
})

test('another command, with its words', async () => {
  const terminal = await open(
    `/jobs/${job}/shell/?command=sh&command=-c&command=${encodeURIComponent('echo "a  b"; exit 3')}`,
  )
  expect(await terminal.closed).toBe(1000)
  expect(terminal.printed).toContain('a  b')
  expect(terminal.told).toEqual([{ exit: { code: 3 } }])
})

test('nobody without the right, no page of another site, no more than two, nothing that is no shell', async () => {
  const path = `/jobs/${job}/shell/`
  const refusal = (headers: Record<string, string>, at = path) => new Terminal(at, headers).opened()
  const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const forbidden = { status: 403, detail: 'You do not have permission to perform this action.' }
  expect(await refusal({})).toMatchObject({ status: 401 })
  expect(await refusal({ authorization: basic(someone.username, someone.password) })).toEqual(forbidden)
  // Reading everything is not enough.
  const users = await mayfly.get<{ results: { id: number }[] }>(`/users/?username=${someone.username}`)
  await mayfly.patch(`/users/${users.results[0]?.id}/`, { is_system_auditor: true })
  expect(await refusal({ authorization: basic(someone.username, someone.password) })).toEqual(forbidden)
  const { token } = await mayfly.post<{ token: string }>('/tokens/', { scope: 'read' })
  expect(await refusal({ authorization: `Bearer ${token}` })).toEqual(forbidden)
  expect(await refusal({ authorization: mayfly.auth, origin: 'https://evil.example.org' })).toMatchObject({
    status: 403,
    detail: expect.stringContaining('Origin'),
  })
  expect(await refusal({ authorization: mayfly.auth }, `${path}?rows=0`)).toMatchObject({ status: 400 })
  expect(await refusal({ authorization: mayfly.auth }, '/jobs/999999/shell/')).toMatchObject({ status: 404 })
  expect(await refusal({ authorization: mayfly.auth }, '/ping/')).toMatchObject({ status: 400 })
  expect((await mayfly.api('GET', path)).status).toBe(426)

  await allClosed()
  const own = new Terminal(path, { authorization: mayfly.auth, origin: mayfly.url })
  expect(await own.opened()).toBeNull()
  const second = await open()
  expect(await refusal({ authorization: mayfly.auth })).toMatchObject({
    status: 409,
    detail: expect.stringContaining('2 open shells'),
  })
  second.socket.send('{"resize": {"columns": 0, "rows": 1}}')
  expect(await second.closed).toBe(1008)
  own.socket.close()
  await own.closed
  // Both places are free again.
  await until({ what: 'a place', seconds: 180 }, async () => {
    const third = new Terminal(path)
    const refused = await third.opened()
    third.socket.terminate()
    return refused === null
  })
})

test('a client that leaves takes along what it ran', async () => {
  const terminal = await open()
  // Something that reads nothing and would run for ever.
  await terminal.line('sleep 424242 & sleep 434343 & echo running-$((1+1)); sleep 414141', 'running-2')
  terminal.socket.terminate()
  const look = await open()
  await until({ what: 'nothing to run any more', seconds: 180, everyMs: 500 }, async () => {
    look.printed = ''
    await look.line(
      'echo $(cat /proc/[0-9]*/cmdline | tr "\\\\0" " " | grep -o "sleep 4[123]4[123]4[123]") left-$((1+1))',
      'left-2',
    )
    return !/sleep 4\d4\d4\d/.test(look.printed.replaceAll(/"[^"]*"/g, ''))
  })
  look.socket.close()
  await look.closed
})

test('the command `mayfly shell` is a client', async () => {
  const args = ['--disable-warning=ExperimentalWarning', 'cli/main.ts', 'shell', String(job), '--url', mayfly.url]
  const child = spawn(process.execPath, [...args, '--', 'sh', '-c', 'read word; echo "got $word"; exit 5'], {
    env: { ...mayfly.env, CONTROLLER_PASSWORD: mayfly.password },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let printed = ''
  child.stdout.on('data', (data) => (printed += data))
  child.stderr.on('data', (data) => (printed += data))
  child.stdin.write('hello\n')
  const code = await new Promise((resolve) => child.once('close', resolve))
  expect(printed).toContain('got hello')
  expect(code).toBe(5)
})

test('a shell ends with its pod, and the log tells who was where from when to when, and nothing that was typed', async () => {
  const terminal = await open()
  await terminal.line('echo typed-$((1+1))', 'typed-2')
  const namespace = mayfly.kubernetesNamespace
  const name = `automation-job-${job}-1`
  await clusterAdmin(mayfly.stack).deleteNamespacedPod({ namespace, name, gracePeriodSeconds: 1 })
  await terminal.closed
  expect(terminal.told).toHaveLength(1)
  await mayfly.ended(`/jobs/${job}/`)
  await until({ what: 'no shell without a pod', seconds: 180 }, async () => {
    const late = new Terminal(`/jobs/${job}/shell/`)
    const refused = await late.opened()
    late.socket.terminate()
    if (refused) expect(refused).toMatchObject({ status: 409, detail: expect.stringMatching(/pod/i) })
    return refused?.detail.includes('has no pod now')
  })
  await allClosed()
  const lines = audited('shell closed')
  expect(JSON.parse(lines.at(-1) ?? '{}')).toMatchObject({
    ...{ audit: 'shell', username: 'admin', job, namespace, pod: name, program: '/bin/sh' },
    ...{ from: expect.stringMatching(/^20.*Z$/), to: expect.stringMatching(/^20.*Z$/), why: expect.any(String) },
  })
  for (const typed of ['typed-$', 'stty', 'read word', 'hello']) expect(mayfly.logs('api')).not.toContain(typed)
})
