/** `mayfly shell`: a terminal in the pod of a job, through the API. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { WebSocket } from 'ws'
import { CommandError } from './errors.ts'
import type { ShellOptions } from './program.ts'

/** The API's last message: how the shell ended. */
interface LastWord {
  exit?: { code: number }
  error?: string
}

/** Joins this terminal to a shell in the job's pod until either ends; the exit code is the shell's. */
export async function shell(job: string, command: string[], options: ShellOptions): Promise<void> {
  const { stdin, stdout, env } = process
  if (!/^[1-9]\d*$/.test(job)) throw new CommandError(`"${job}" is not the number of a job`)
  const socket = new WebSocket(addressOf(job, command, options), {
    headers: { authorization: await authorizationOf(options, env) },
  })
  const lastWord = listen(socket)
  await opened(socket)
  const raw = stdin.isTTY === true
  const resize = () => socket.send(JSON.stringify({ resize: { columns: stdout.columns, rows: stdout.rows } }))
  const type = (bytes: Buffer) => socket.send(bytes)
  // The terminal of the other side takes this for the end of what is typed.
  const leave = () => socket.send(Buffer.of(4))
  try {
    if (raw) stdin.setRawMode(true)
    if (stdout.isTTY) stdout.on('resize', resize)
    stdin.on('data', type)
    stdin.on('end', leave)
    const { exit, error } = await lastWord
    if (error) throw new CommandError(error)
    process.exitCode = exit?.code ?? 1
  } finally {
    if (raw) stdin.setRawMode(false)
    stdout.off('resize', resize)
    stdin.off('data', type).off('end', leave)
    stdin.pause()
  }
}

function addressOf(job: string, command: string[], { url }: ShellOptions): URL {
  const address = URL.parse(`/api/v2/jobs/${job}/shell/`, url)
  if (!address || !/^https?:$/.test(address.protocol)) {
    throw new CommandError(`"${url}" is no address of a Mayfly`, 'name it with --url or CONTROLLER_HOST')
  }
  address.protocol = address.protocol.replace('http', 'ws')
  for (const word of command) address.searchParams.append('command', word)
  const { columns, rows } = process.stdout
  if (columns && rows) {
    address.searchParams.set('columns', String(columns))
    address.searchParams.set('rows', String(rows))
  }
  return address
}

/** A token of the environment, else a user's name and password: of the environment, or asked for. */
async function authorizationOf({ user }: ShellOptions, env: NodeJS.ProcessEnv): Promise<string> {
  if (env.CONTROLLER_OAUTH_TOKEN) return `Bearer ${env.CONTROLLER_OAUTH_TOKEN}`
  const password = env.CONTROLLER_PASSWORD ?? (await askPassword(user))
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

async function askPassword(user: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new CommandError('there is no password', 'set CONTROLLER_PASSWORD or CONTROLLER_OAUTH_TOKEN')
  }
  process.stderr.write(`Password of ${user}: `)
  // What is typed is not shown.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  try {
    return await terminal.question('')
  } finally {
    terminal.close()
    process.stderr.write('\n')
  }
}

/** Resolves when the connection is there; a refusal is told in the API's words. */
function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', (error) => reject(new CommandError(`no connection: ${error.message}`)))
    socket.once('unexpected-response', async (_request, response) => {
      let body = ''
      for await (const chunk of response) body += chunk
      reject(new CommandError(refusalOf(response.statusCode ?? 0, body)))
    })
  })
}

function refusalOf(status: number, body: string): string {
  try {
    const said = JSON.parse(body)
    return typeof said.detail === 'string' ? said.detail : body
  } catch {
    return `the API answers ${status}`
  }
}

/** Writes what the shell prints, and resolves with how it ended. */
function listen(socket: WebSocket): Promise<LastWord> {
  return new Promise((resolve) => {
    let last: LastWord = { error: 'the connection to the API was lost' }
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) process.stdout.write(data)
      else last = JSON.parse(data.toString('utf8'))
    })
    socket.on('error', () => {})
    socket.once('close', () => resolve(last))
  })
}
