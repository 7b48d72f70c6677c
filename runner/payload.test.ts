import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import yauzl from 'yauzl'
import { extraVarsYaml } from './extra-vars.ts'
import { buildPayload, type Payload, PayloadChangedError } from './payload.ts'
import { ProjectUnreadableError } from './project/manual.ts'
import { testCredential, testJob } from './testing.ts'
import { type ZipEntry, zipSize, zipStream } from './zip.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-payload-'))
  writeFileSync(join(folder, 'site.yml'), '- hosts: all\n')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function bytesOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of chunks) pieces.push(piece)
  return Buffer.concat(pieces)
}

type Unpacked = Record<string, { mode: string; text: string }>

async function unzip(bytes: Buffer): Promise<Unpacked> {
  const zip = await promisify<Buffer, yauzl.Options, yauzl.ZipFile>(yauzl.fromBuffer)(bytes, { decodeStrings: false })
  const open = promisify<yauzl.Entry, NodeJS.ReadableStream>(zip.openReadStream.bind(zip))
  const found: Unpacked = {}
  const reads: Promise<void>[] = []
  zip.on('entry', (entry: yauzl.Entry) => {
    const name = (entry.fileName as unknown as Buffer).toString('utf8')
    const mode = (entry.externalFileAttributes >>> 16).toString(8)
    const read = async () => {
      found[name] = { mode, text: name.endsWith('/') ? '' : await readText(await open(entry)) }
    }
    reads.push(read())
  })
  await new Promise((resolve, reject) => zip.once('end', resolve).once('error', reject))
  await Promise.all(reads)
  return found
}

/** Takes the payload apart as the worker does. */
async function unpack(payload: Payload): Promise<{ kwargs: Record<string, unknown>; files: Unpacked }> {
  const bytes = await bytesOf(payload.stream())
  expect(bytes.length).toBe(payload.size)
  const lines = bytes.toString('latin1').split('\n')
  expect(lines).toHaveLength(4)
  const { kwargs } = JSON.parse(bytes.toString('utf8', 0, bytes.indexOf('\n')))
  const { zipfile } = JSON.parse(lines[1] ?? '')
  const length = Math.ceil(zipfile / 3) * 4
  expect(lines[2]?.slice(length)).toBe('{"eof": true}')
  const zip = Buffer.from(lines[2]?.slice(0, length) ?? '', 'base64')
  expect(zip.length).toBe(zipfile)
  return { kwargs, files: await unzip(zip) }
}

describe('the private data dir', () => {
  test('of a plain job', async () => {
    const { kwargs, files } = await unpack(await buildPayload(testJob({ projectFolder: folder })))
    expect(kwargs).toMatchObject({
      ident: 77,
      playbook: 'site.yml',
      inventory: 'inventory/hosts',
      suppress_env_files: true,
      fact_cache_type: '',
      envvars: { JOB_ID: '77', INVENTORY_ID: '5', ANSIBLE_FORCE_COLOR: 'True', AWX_PRIVATE_DATA_DIR: '/runner' },
    })
    expect(kwargs).not.toHaveProperty('ssh_key')
    expect(kwargs.envvars).not.toHaveProperty('ANSIBLE_ROLES_PATH')
    expect(Object.fromEntries(Object.entries(files).map(([name, { mode }]) => [name, mode]))).toEqual({
      'project/': '40700',
      'project/site.yml': '100644',
      'inventory/': '40700',
      'inventory/hosts': '100700',
      'env/': '40700',
      'env/cmdline': '100600',
      'env/extravars': '100600',
      'env/settings': '100600',
      'cp/': '40700',
    })
    expect(JSON.parse(files['env/settings']?.text ?? '')).toEqual({
      pexpect_timeout: 1,
      suppress_ansible_output: true,
      suppress_output_file: true,
    })
    expect(files['env/cmdline']?.text).toBe('-u root')
  })

  test('has the whole tree but .git, with modes, links and odd names', async () => {
    mkdirSync(join(folder, '.git'))
    mkdirSync(join(folder, 'sub/empty'), { recursive: true })
    mkdirSync(join(folder, 'closed'), { mode: 0o500 })
    writeFileSync(join(folder, '.git/config'), '')
    writeFileSync(join(folder, 'sub/.git'), 'gitdir: elsewhere')
    writeFileSync(join(folder, 'sub/a\\x2d ü.sh'), '#!/bin/sh\n')
    chmodSync(join(folder, 'sub/a\\x2d ü.sh'), 0o4755)
    symlinkSync('sub', join(folder, 'link'))
    symlinkSync('/etc/passwd', join(folder, 'sub/absolute'))
    const { files } = await unpack(await buildPayload(testJob({ projectFolder: folder })))
    const project = Object.entries(files).filter(([name]) => name.startsWith('project/'))
    expect(Object.fromEntries(project.map(([name, { mode, text }]) => [name.slice(8), `${mode} ${text}`]))).toEqual({
      '': '40700 ',
      'closed/': '40700 ',
      link: '120777 sub',
      'site.yml': '100644 - hosts: all\n',
      'sub/': '40755 ',
      'sub/a\\x2d ü.sh': '100755 #!/bin/sh\n',
      'sub/absolute': '120777 /etc/passwd',
      'sub/empty/': '40755 ',
    })
  })

  test('with credentials, content, facts, a slice and timeouts', async () => {
    const content = join(folder, '../content')
    mkdirSync(join(content, 'role'), { recursive: true })
    writeFileSync(join(folder, 'ansible.cfg'), '[x]\nroles_path=no\n[defaults]\nroles_path = roles:/opt/r ; two\n')
    const hosts = ['a', 'b'].map((name, id) => ({ id, name, enabled: true, variables: '' }))
    const job = testJob({
      projectFolder: folder,
      rolesFolder: content,
      collectionsFolder: content,
      credentials: [
        testCredential('ssh', {
          username: 'me',
          ssh_key_data: 'KEY\r\nX',
          ssh_public_key_data: 'CERT',
          password: 'pw',
        }),
      ],
      facts: [{ hostName: 'a', facts: { x: 1 }, modified: new Date(0) }],
      inventory: { name: 'i', variables: '', hosts, groups: [] },
      slice: { number: 2, count: 2 },
      timeout: 60,
      idleTimeout: 5,
      extraVars: { a: '{{ x }}' },
      metaVars: { awx_job_id: 77 },
      templateExtraVars: { a: '{{ x }}' },
      taskEnv: { HTTP_PROXY: 'p', JOB_ID: 'x' },
    })
    const payload = await buildPayload(job)
    const { kwargs, files } = await unpack(payload)
    expect(kwargs).toMatchObject({
      ssh_key: 'KEY\nX\n',
      fact_cache_type: 'jsonfile',
      passwords: { 'SSH password:\\s*?$': 'pw' },
      envvars: {
        HTTP_PROXY: 'p',
        JOB_ID: '77',
        ANSIBLE_ROLES_PATH: '/runner/requirements_roles:roles:/opt/r',
        ANSIBLE_COLLECTIONS_PATH:
          '/runner/requirements_collections:~/.ansible/collections:/usr/share/ansible/collections',
      },
    })
    expect(files).toMatchObject({
      'artifacts/77/ssh_key_data-cert.pub': { mode: '100600', text: 'CERT\n' },
      'artifacts/77/fact_cache/a': { mode: '100600', text: '{"x":1}' },
      'env/extravars': { text: '{"a": "{{ x }}",\n !unsafe "awx_job_id": 77}\n' },
      'requirements_roles/role/': { mode: '40755' },
      'requirements_collections/role/': { mode: '40755' },
    })
    expect(JSON.parse(files['env/settings']?.text ?? '')).toMatchObject({ job_timeout: 60, idle_timeout: 5 })
    expect(files['inventory/hosts']?.text).toContain('"hosts": ["b"]')
    expect(payload.secrets).toEqual(expect.arrayContaining(['KEY\r\nX', 'pw']))
    rmSync(content, { recursive: true })
  })
})

describe('sending', () => {
  test('gives the same bytes again', async () => {
    writeFileSync(join(folder, 'large'), Buffer.alloc(300_001, 'x'))
    const payload = await buildPayload(testJob({ projectFolder: folder }))
    expect((await bytesOf(payload.stream())).equals(await bytesOf(payload.stream()))).toBe(true)
  })

  test('stops when a file changed meanwhile, or is gone', async () => {
    const payload = await buildPayload(testJob({ projectFolder: folder }))
    writeFileSync(join(folder, 'site.yml'), '- hosts: all # longer\n')
    await expect(bytesOf(payload.stream())).rejects.toThrow(PayloadChangedError)
    writeFileSync(join(folder, 'site.yml'), '-')
    await expect(bytesOf(payload.stream())).rejects.toThrow('project/site.yml changed its size')
    rmSync(join(folder, 'site.yml'))
    const gone = bytesOf(payload.stream())
    await expect(gone).rejects.toThrow('ENOENT')
    await expect(gone).rejects.not.toThrow(folder)
  })

  test('a project that is not there is named without its place', async () => {
    const missing = buildPayload(testJob({ projectFolder: join(folder, 'missing') }))
    await expect(missing).rejects.toThrow(ProjectUnreadableError)
    await expect(missing).rejects.toThrow('The project folder cannot be read (ENOENT)')
  })
})

describe('zips', () => {
  const modified = new Date('2026-01-02T03:04:06Z')
  const entry = (name: string, size: number): ZipEntry => ({
    name,
    mode: 0o100644,
    modified,
    size,
    read: () => [Buffer.alloc(size, 'z')],
  })

  test.each([0, 1, 2, 70_000])('of %i entries have the size that was worked out', async (count) => {
    const entries = Array.from({ length: count }, (_, index) => entry(`f${index}`, index % 3))
    const bytes = await bytesOf(zipStream(entries))
    expect(bytes.length).toBe(zipSize(entries))
    expect(Object.keys(await unzip(bytes))).toHaveLength(count)
  })

  test('of more than 4 GiB are worked out as they would be written', () => {
    const huge = [entry('a', 5 * 2 ** 30), entry('b', 1)]
    // Both entries need 64-bit fields in the directory, the first also around its content, and the end record its 64-bit form.
    const contents = 30 + 1 + 20 + 5 * 2 ** 30 + 24 + (30 + 1 + 1 + 16)
    expect(zipSize(huge)).toBe(contents + 2 * (46 + 1 + 28) + 22 + 76)
  })

  test('times before 1980 and after 2107 are the nearest possible', async () => {
    utimesSync(join(folder, 'site.yml'), 0, 0)
    const { files } = await unpack(await buildPayload(testJob({ projectFolder: folder })))
    expect(files['project/site.yml']?.text).toBe('- hosts: all\n')
  })
})

describe('extra vars', () => {
  test('trust only what equals the template', () => {
    const vars = { same: { a: ['{{ x }}'] }, other: '{{ y }}', number: 1.5, none: null, gone: undefined }
    expect(extraVarsYaml(vars, { same: { a: ['{{ x }}'] }, other: '{{ x }}' })).toBe(
      '{"same": {"a": ["{{ x }}"]},\n !unsafe "other": !unsafe "{{ y }}",\n !unsafe "number": 1.5,\n !unsafe "none": null}\n',
    )
  })

  test('are nothing', () => expect(extraVarsYaml({}, {})).toBe('{}\n'))

  test('keep odd characters, numbers and long names', () => {
    const text = extraVarsYaml({ a: '\u0085\u2028\ufeff\u0000"\\', b: 1e21, c: 1e-7, ['k'.repeat(2000)]: Infinity }, {})
    expect(text).toContain('"\\u0085\\u2028\\ufeff\\u0000\\"\\\\"')
    expect(text).toContain('1.0e+21')
    expect(text).toContain('1.0e-7')
    expect(text).toMatch(/\? !unsafe "k+" : \.inf/)
  })
})
