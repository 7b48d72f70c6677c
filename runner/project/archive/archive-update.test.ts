import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EventRow } from '../../../model/event.ts'
import { testCredential } from '../../testing.ts'
import { type ProjectUpdateOptions, runProjectUpdate } from '../update.ts'

let folder = ''
const servers: Server[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-archive-'))
})
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  rmSync(folder, { recursive: true, force: true })
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function archive(files: Record<string, string>): Promise<Buffer> {
  const packing = pack()
  for (const [name, text] of Object.entries(files)) packing.entry({ name }, text)
  packing.finalize()
  return gzipSync(await buffer(packing as unknown as NodeJS.ReadableStream))
}
const sha1 = (content: Buffer) => createHash('sha1').update(content).digest('hex')

async function update(scmUrl: string, changes: Partial<ProjectUpdateOptions> = {}) {
  const rows: EventRow[] = []
  const result = await runProjectUpdate(
    {
      dataFolder: join(folder, 'data'),
      projectId: 3,
      scmType: 'archive',
      scmUrl,
      scmBranch: '',
      scmRefspec: '',
      scmTrackSubmodules: false,
      scmDeleteOnUpdate: false,
      credential: null,
      galaxy: null,
      refreshContent: true,
      timeout: 0,
      signal: new AbortController().signal,
      ...changes,
    },
    (more) => {
      rows.push(...more)
    },
  )
  const tasks = rows
    .filter(({ event }) => event.startsWith('runner_on_') && event !== 'runner_on_start')
    .map(({ task, event }) => [task, event.slice('runner_on_'.length)])
  return { result, rows, tasks, all: JSON.stringify([result, rows]) }
}

/** What an update leaves beside trees and notes: nothing of its work. */
const leftOver = () => [
  ...readdirSync(join(folder, 'data/3')).filter((name) => /^(archive|access)-/.test(name)),
  ...readdirSync(join(folder, 'data/3/trees')).filter((name) => name.startsWith('.')),
]

describe('an archive', () => {
  test('is fetched, unpacked and told as AWX does; the same one is not fetched again', async () => {
    const content = await archive({ 'top/site.yml': '- hosts: all\n', 'top/roles/r/tasks/main.yml': '[]' })
    const asked: (string | undefined)[] = []
    const origin = await serve((request, response) => {
      asked.push(request.headers['if-none-match'])
      if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end()
      else response.writeHead(200, { etag: '"1"' }).end(content)
    })
    const first = await update(`${origin}/p.tar.gz`)
    expect(first.result).toMatchObject({
      status: 'successful',
      project: { revision: sha1(content) },
      playbooks: ['site.yml'],
      jobArgs: JSON.stringify(['GET', `${origin}/p.tar.gz`]).replace(',', ', '),
    })
    expect(first.tasks.slice(0, 4)).toEqual([
      ['Get archive from url', 'ok'],
      ['Unpack archive', 'ok'],
      ['Set scm_version to archive sha1 checksum', 'ok'],
      ['Repository Version', 'ok'],
    ])
    const second = await update(`${origin}/p.tar.gz`)
    expect(second.result.project).toEqual(first.result.project)
    expect(second.tasks[1]).toEqual(['Unpack archive', 'skipped'])
    const anew = await update(`${origin}/p.tar.gz`, { scmDeleteOnUpdate: true })
    expect(anew.result.project?.revision).toBe(sha1(content))
    expect(anew.result.project?.folder).not.toBe(first.result.project?.folder)
    expect(asked).toEqual([undefined, '"1"', undefined])
    expect(leftOver()).toEqual([])
  })

  test('that has changed stands beside the one before; a revision that is gone is named', async () => {
    let content = await archive({ 'site.yml': '- hosts: one\n' })
    const origin = await serve((_request, response) => response.end(content))
    const one = await update(`${origin}/p.tgz`)
    content = await archive({ 'site.yml': '- hosts: two\n' })
    const two = await update(`${origin}/p.tgz`)
    const read = (which: typeof one) => readFileSync(join(which.result.project?.folder ?? '', 'site.yml'), 'utf8')
    expect([read(one), read(two)]).toEqual(['- hosts: one\n', '- hosts: two\n'])
    const revision = one.result.project?.revision ?? ''
    const gone = await update(`${origin}/p.tgz`, { scmBranch: revision })
    expect(gone.result.cause?.message).toContain(`revision ${revision} is not at ${origin}/p.tgz any more`)
  })

  test('behind a password: it goes to the own origin only, and is seen nowhere', async () => {
    const content = await archive({ 'site.yml': '- hosts: all\n' })
    const elsewhere: (string | undefined)[] = []
    const other = await serve((request, response) => {
      elsewhere.push(request.headers.authorization)
      response.end(content)
    })
    const expected = `Basic ${Buffer.from('me:s3cret').toString('base64')}`
    const origin = await serve((request, response) => {
      if (request.headers.authorization !== expected) response.writeHead(401).end()
      else response.writeHead(302, { location: `${other}/signed?signature=topsecret` }).end()
    })
    const credential = testCredential('scm', { username: 'me', password: 's3cret' }, { namespace: 'scm' })
    const good = await update(`${origin}/p.zip`, { credential })
    expect(good.result.status).toBe('successful')
    expect(elsewhere).toEqual([undefined])
    const inUrl = await update(`${origin.replace('//', '//me:s3cret@')}/p.zip`)
    expect(inUrl.result.status).toBe('successful')
    const wrong = testCredential('scm', { username: 'me', password: 'wr0ng-one' }, { namespace: 'scm' })
    const bad = await update(`${origin}/p.zip`, { credential: wrong })
    expect(bad.result.cause?.message).toContain(`${origin}/p.zip answered 401 Unauthorized: check the credential`)
    expect(good.all + inUrl.all + bad.all).not.toMatch(/s3cret|wr0ng|topsecret/)
  })

  test.each([
    ['/missing', /answered 404 Not Found: the archive is not there/],
    ['/broken', /answered 500/],
    ['/page', /neither a tar nor a zip/],
    ['/evil', /Entry "\.\.\/evil" of the archive leads outside/],
    ['/half', /cannot be read/],
    ['/cut', /could not be fetched/],
  ])('%s fails with a reason, and nothing half-done stays', async (path, message) => {
    const evil = await archive({ 'site.yml': '- hosts: all\n', '../evil': 'x' })
    const good = await archive({ 'site.yml': '- hosts: all\n', big: 'x'.repeat(100_000) })
    const origin = await serve((_request, response) => {
      if (path === '/missing') response.writeHead(404).end()
      else if (path === '/broken') response.writeHead(500).end()
      else if (path === '/page') response.end('<html>please log in</html>')
      else if (path === '/evil') response.end(evil)
      else if (path === '/half') response.end(good.subarray(0, good.length / 2))
      else {
        response.writeHead(200, { 'content-length': String(good.length) })
        response.write(good.subarray(0, 50), () => response.destroy())
      }
    })
    const { result, rows } = await update(origin + path)
    expect(result).toMatchObject({ status: 'failed', project: null })
    expect(result.cause?.message).toMatch(message)
    expect(rows.at(-1)?.event).toBe('playbook_on_stats')
    expect(leftOver()).toEqual([])
    expect(readdirSync(join(folder, 'data/3/trees'))).toEqual([])
    expect(existsSync(join(folder, 'data/3/evil'))).toBe(false)
  })

  test('a server that hangs, before it answers and within the answer, is given up', async () => {
    const origin = await serve((request, response) => {
      if (request.url === '/within') response.writeHead(200).write('x')
    })
    for (const path of ['/before', '/within']) {
      const { result } = await update(origin + path, { patience: 1 })
      expect(result.cause?.message).toContain('the server was silent for 1 seconds')
    }
    const { result } = await update(`${origin}/before`, { timeout: 1 })
    expect(result.cause).toMatchObject({ kind: 'timed_out' })
    const closed = await update('http://127.0.0.1:2/x.zip')
    expect(closed.result.cause?.message).toMatch(/127\.0\.0\.1:2\/x\.zip could not be fetched: .*ECONNREFUSED/)
  })
})
