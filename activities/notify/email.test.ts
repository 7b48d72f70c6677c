import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { sendEmail } from './email.ts'
import { selfSignedCertificate } from './testing-certificate.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

/** A certificate that nobody vouches for. */
let tls: { key: Buffer; cert: Buffer }
beforeAll(() => {
  tls = selfSignedCertificate()
})

async function mailServer(options: SMTPServerOptions = {}) {
  const letters: { source: string; secure: boolean; user: string | undefined }[] = []
  const server = new SMTPServer({
    ...tls,
    authOptional: true,
    closeTimeout: 100,
    onAuth: ({ username, password }, _session, done) =>
      password === 'right' ? done(null, { user: username }) : done(new Error('no')),
    onData: (stream, session, done) => {
      text(stream).then((source) => {
        letters.push({ source, secure: session.secure, user: session.user })
        done()
      }, done)
    },
    ...options,
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  stops.push(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return { port: (server.server.address() as AddressInfo).port, letters }
}

const send = (port: number, more: Record<string, unknown> = {}, signal = AbortSignal.timeout(60_000)) => {
  const configuration = {
    ...{ host: '127.0.0.1', port, username: '', password: '', use_tls: false, use_ssl: false, timeout: 60 },
    ...{ sender: 'mayfly@example.org', recipients: ['a@example.org'] },
    ...more,
  }
  return sendEmail({ configuration, subject: 'Ünïcode – line', body: 'first\n.\nlast' }, signal)
}

test('without encryption nothing is encrypted, also where the server offers it', async () => {
  const { port, letters } = await mailServer()
  expect(await send(port)).toBe(1)
  expect(letters[0]?.secure).toBe(false)
  expect(letters[0]?.source).toMatch(/^Subject: =\?UTF-8\?/m)
  expect(letters[0]?.source.replace(/\r\n/g, '\n')).toContain('first\n.\nlast')
})

describe('what is refused', () => {
  test('a certificate that nobody vouches for, by STARTTLS and from the start', async () => {
    const startTls = await mailServer()
    await expect(send(startTls.port, { use_tls: true })).rejects.toMatchObject({
      message: expect.stringMatching(/certificate/),
    })
    const fromTheStart = await mailServer({ secure: true })
    await expect(send(fromTheStart.port, { use_ssl: true })).rejects.toMatchObject({
      message: expect.stringMatching(/certificate/),
    })
  })

  test('a server without STARTTLS where it is asked for', async () => {
    const { port } = await mailServer({ disabledCommands: ['STARTTLS'] })
    await expect(send(port, { use_tls: true })).rejects.toThrow(/STARTTLS/)
  })

  test('a wrong password and a refused recipient, for good', async () => {
    const login = await mailServer({ allowInsecureAuth: true })
    const wrong = { username: 'u', password: 'wrong' }
    await expect(send(login.port, wrong)).rejects.toMatchObject({ permanent: true })
    expect(await send(login.port, { username: 'u', password: 'right' })).toBe(1)
    expect(login.letters[0]?.user).toBe('u')
    const picky = await mailServer({ onRcptTo: (_address, _session, done) => done(new Error('unknown')) })
    await expect(send(picky.port)).rejects.toMatchObject({ permanent: true })
  })

  test('a server that is busy or silent, for now', async () => {
    const busy = Object.assign(new Error('later'), { responseCode: 451 })
    const later = await mailServer({ onMailFrom: (_address, _session, done) => done(busy) })
    await expect(send(later.port)).rejects.toMatchObject({
      permanent: false,
      message: expect.stringContaining('later'),
    })
    const silent = await mailServer({ onConnect: () => {} })
    await expect(send(silent.port, { timeout: 1 })).rejects.toMatchObject({ permanent: false })
    await expect(send(silent.port, {}, AbortSignal.timeout(100))).rejects.toThrow()
  })
})
