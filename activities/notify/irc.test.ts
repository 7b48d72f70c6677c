import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { sendIrc } from './irc.ts'
import { selfSignedCertificate } from './testing-certificate.ts'

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

/** An IRC server on loopback, as far as a notification needs one. `join`: what it answers to a JOIN, if not a welcome; `tls`: it speaks TLS from the start. */
async function ircServer(options: { taken?: string; join?: string; silent?: boolean; tls?: boolean } = {}) {
  const heard: string[] = []
  const talk = (socket: Socket) => {
    let nickname = ''
    let rest = ''
    const say = (text: string) => socket.write(`${text}\r\n`)
    const answer = (line: string) => {
      heard.push(line)
      const [command, first = ''] = line.split(' ')
      if (options.silent) return
      if (command === 'NICK' && first === options.taken) say(`:irc.test 433 * ${first} :Nickname is already in use`)
      else if (command === 'NICK') {
        nickname = first
        say('PING :alive')
      } else if (command === 'PONG') say(`:irc.test 001 ${nickname} :Welcome`)
      else if (command === 'JOIN') say(options.join ?? `:${nickname}!user@host JOIN :${first}`)
      else if (command === 'PRIVMSG' && first === 'nobody') say(`:irc.test 401 ${nickname} nobody :No such nick`)
      else if (command === 'PING') say(`:irc.test PONG irc.test :${first}`)
      else if (command === 'QUIT') socket.end()
    }
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\r\n')
      rest = lines.pop() ?? ''
      lines.forEach(answer)
    })
    socket.on('error', () => {})
    stops.push(() => socket.destroy())
  }
  const server = options.tls ? createTlsServer(selfSignedCertificate(), talk) : createServer(talk)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stops.push(() => server.close())
  return { port: (server.address() as AddressInfo).port, heard }
}

const send = (port: number, more: Record<string, unknown> = {}, signal = AbortSignal.timeout(60_000)) => {
  const configuration = { server: '127.0.0.1', port, nickname: 'mayfly', password: 'pw', use_ssl: false, ...more }
  return sendIrc(
    { configuration: { targets: ['#ops', 'kim'], ...configuration }, subject: 'a\r\nQUIT b', body: '' },
    signal,
  )
}

test('it logs in, joins channels, says the line to all, and makes no second command of it', async () => {
  const { port, heard } = await ircServer()
  expect(await send(port)).toBe(2)
  expect(heard.slice(0, 4)).toEqual(['PASS pw', 'NICK mayfly', 'USER mayfly 0 * :mayfly', 'PONG :alive'])
  expect(heard).toContain('JOIN #ops')
  expect(heard).toContain('PRIVMSG #ops :a  QUIT b')
  expect(heard).toContain('PRIVMSG kim :a  QUIT b')
})

test('over TLS', async () => {
  const { port, heard } = await ircServer({ tls: true })
  expect(await send(port, { use_ssl: true })).toBe(2)
  expect(heard).toContain('PRIVMSG #ops :a  QUIT b')
})

test('a server that speaks no TLS, where TLS is asked for, is told nothing', async () => {
  const { port, heard } = await ircServer()
  await expect(send(port, { use_ssl: true }, AbortSignal.timeout(300))).rejects.toThrow()
  expect(heard.join()).not.toContain('PASS')
})

test('a nick that is taken gets a tail', async () => {
  const { port, heard } = await ircServer({ taken: 'mayfly' })
  expect(await send(port)).toBe(2)
  expect(heard).toContain('NICK mayfly_')
})

test.each([
  [
    'a channel that is closed',
    { join: ':irc.test 473 mayfly #ops :Cannot join channel (+i)' },
    {},
    /473 .*Cannot join/,
  ],
  ['somebody who is not there', {}, { targets: ['nobody'] }, /401 .*No such nick/],
  ['a target that is none', {}, { targets: ['#a b'] }, /is no target/],
])('%s is final', async (_, options, more, message) => {
  const { port } = await ircServer(options)
  await expect(send(port, more)).rejects.toMatchObject({ permanent: true, message: expect.stringMatching(message) })
})

test('a server that says nothing is left alone after a while', async () => {
  const { port } = await ircServer({ silent: true })
  await expect(send(port, {}, AbortSignal.timeout(100))).rejects.toThrow()
})

test('a server that is not there may come back', async () => {
  const { port } = await ircServer()
  for (const stop of stops.splice(0)) stop()
  await expect(send(port)).rejects.toMatchObject({ permanent: false, message: expect.stringContaining('ECONNREFUSED') })
})
