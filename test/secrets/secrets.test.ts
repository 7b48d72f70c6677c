/** No credential value is in Temporal's history, the logs, pod specs, Kubernetes' events, or the database in clear; and all of them work. */
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import { Client, Connection } from '@temporalio/client'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fromBufferPromise } from 'yauzl'
import { controlPlaneAnsible } from '../../dev/ansible.ts'
import { openCluster } from '../../kubernetes/cluster.ts'
import type { Pod } from '../../kubernetes/objects.ts'
import { watchObjects } from '../../kubernetes/watch.ts'
import { jobWorkflowId } from '../../workflows/names.ts'
import { type Catalog, launch, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { stackTarget } from '../setup/own-places.ts'

const secret = (name: string) => `${name}-${randomBytes(9).toString('hex')}`
const passphrase = secret('passphrase')
const secrets = {
  passphrase,
  password: secret('password'),
  becomePassword: secret('become'),
  vaultPassword: secret('vault'),
  vaulted: secret('vaulted'),
  launchPassword: secret('launch'),
  token: secret('token'),
}
const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase },
})
/** One line of the key's body stands for the key: whoever has it has the rest. */
const keyLine = privateKey.split('\n')[3] ?? ''

/** Encrypts a value as a playbook's author would, with the vault password. */
async function vaulted(): Promise<string> {
  const { playbook, env } = await controlPlaneAnsible()
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-vault-'))
  try {
    writeFileSync(join(folder, 'password'), secrets.vaultPassword)
    const [program = '', module = '', name = ''] = playbook
    const args = [
      module,
      name,
      'vault',
      'encrypt_string',
      '--vault-password-file',
      join(folder, 'password'),
      secrets.vaulted,
    ]
    return execFileSync(program, args, {
      env: { ...process.env, ...env },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

let mayfly: Mayfly
let catalog: Catalog
let pods: string[]
let stopWatch: () => Promise<void>

beforeAll(async () => {
  mayfly = await startMayfly({ env: { MAYFLY_LOG_LEVEL: 'debug' } })
  const playbook = `
- hosts: all
  gather_facts: false
  vars:
    treasure: ${(await vaulted()).trim().replaceAll('\n', '\n  ')}
  tasks:
    - name: the vault opened
      ansible.builtin.assert: { that: "treasure | length == ${secrets.vaulted.length}", quiet: true }
    - name: the key is in the agent
      ansible.builtin.command: ssh-add -l
    - name: nothing of the payload is left
      ansible.builtin.command: find /mayfly/in /runner/env -type f
      register: left
    - name: a file for those who launched it
      ansible.builtin.copy: { dest: "{{ lookup('env', 'AWX_ISOLATED_DATA_DIR') }}/report.txt", content: all is well }
    - name: the token is in the environment
      ansible.builtin.assert: { that: "lookup('env', 'TREASURY_TOKEN') | length == ${secrets.token.length}", quiet: true }
`
  const dying = `
- hosts: all
  gather_facts: false
  tasks:
    - debug: { msg: "it is {{ lookup('env', 'TREASURY_TOKEN') }}" }
    # The runner lives until it has written what was printed, and whose text the pattern is not.
    - shell: |
        until grep -q 'it [i]s' /mayfly/spool/out; do sleep 0.1; done
        for process in /proc/[0-9]*; do
          if tr '\\0' ' ' <$process/cmdline | grep -q 'python.*runner [w]orker'; then kill -9 \${process#/proc/}; fi
        done
    - pause: { seconds: 300 }
`
  catalog = await makeCatalog(mayfly, { files: { 'secrets.yml': playbook, 'dying.yml': dying } })
  pods = []
  const cluster = openCluster(stackTarget(mayfly.stack))
  const watch = watchObjects<Pod>(cluster, {
    resource: 'pods',
    namespace: mayfly.kubernetesNamespace,
    onEvent: (event) => 'object' in event && pods.push(JSON.stringify(event.object)),
  })
  await watch.whenSynced()
  stopWatch = () => watch.stop()
})
afterAll(async () => {
  await stopWatch?.()
  await mayfly?.stop()
})

async function credentialType(name: string): Promise<number> {
  const { results } = await mayfly.get<{ results: { id: number }[] }>(
    `/credential_types/?name=${encodeURIComponent(name)}`,
  )
  return results[0]?.id ?? 0
}

async function attach(template: number, type: number, name: string, inputs: Record<string, string>): Promise<number> {
  const { organization } = catalog
  const { id } = await mayfly.post('/credentials/', { name, organization, credential_type: type, inputs })
  await mayfly.post(`/job_templates/${template}/credentials/`, { id })
  return id
}

/** The job's history with its payloads decoded. */
async function history(job: number): Promise<string> {
  const connection = await Connection.connect({ address: mayfly.stack.temporalAddress })
  try {
    const client = new Client({ connection, namespace: mayfly.temporalNamespace })
    const events = historyToJSON(await client.workflow.getHandle(jobWorkflowId(job)).fetchHistory())
    return events.replaceAll(/"data": "([^"]*)"/g, (_, data: string) => Buffer.from(data, 'base64').toString('utf8'))
  } finally {
    await connection.close()
  }
}

/** Names and contents of all files in the zip that the job offers. */
async function artifacts(job: number): Promise<string> {
  const response = await fetch(`${mayfly.url}/api/v2/jobs/${job}/artifacts.zip`, {
    headers: { authorization: mayfly.auth },
  })
  const zip = await fromBufferPromise(Buffer.from(await response.arrayBuffer()), { lazyEntries: true })
  const found: string[] = []
  for await (const entry of zip.eachEntry()) {
    found.push(`${entry.fileName}: ${await readText(await zip.openReadStreamPromise(entry))}`)
  }
  return found.join('\n')
}

/** Runs a query in Mayfly's database. */
async function query<Row extends pg.QueryResultRow>(...statements: string[]): Promise<Row[]> {
  const client = new pg.Client(mayfly.databaseUrl)
  await client.connect()
  try {
    const rows: Row[] = []
    for (const statement of statements) rows.push(...(await client.query<Row>(statement)).rows)
    return rows
  } finally {
    await client.end()
  }
}

/** Every row of every table as text. */
async function database(): Promise<string> {
  const tables = await query<{ name: string }>(
    "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'",
  )
  const rows = await query<{ row: string }>(...tables.map(({ name }) => `SELECT t::text AS row FROM ${name} t`))
  return rows.map(({ row }) => row).join('\n')
}

test('machine, vault and custom credentials reach the play, and nothing else', async () => {
  const template = await makeTemplate(mayfly, catalog, 'secrets.yml', { become_enabled: false, verbosity: 2 })
  await attach(template, await credentialType('Machine'), 'machine', {
    username: 'root',
    password: secrets.password,
    ssh_key_data: privateKey,
    ssh_key_unlock: passphrase,
    become_method: 'sudo',
    become_password: secrets.becomePassword,
  })
  await attach(template, await credentialType('Vault'), 'vault', { vault_password: secrets.vaultPassword })
  const { id: custom } = await mayfly.post('/credential_types/', {
    name: 'Treasury',
    kind: 'cloud',
    inputs: { fields: [{ id: 'token', type: 'string', label: 'Token', secret: true }], required: ['token'] },
    injectors: { env: { TREASURY_TOKEN: '{{ token }}' } },
  })
  await attach(template, custom, 'treasury', { token: secrets.token })

  const job = await launch(mayfly, template)
  const ended = await mayfly.ended(`/jobs/${job}/`)
  const { text: stdout } = await mayfly.api('GET', `/jobs/${job}/stdout/?format=txt_download`)
  expect(ended, stdout).toMatchObject({ status: 'successful' })
  expect(stdout).toContain('Identity added')

  const { body: detail } = await mayfly.api('GET', `/jobs/${job}/`)
  const { text: shown } = await mayfly.api('GET', '/credentials/')
  const places: Record<string, string> = {
    'the history in Temporal': await history(job),
    'the log of the API': mayfly.logs('api'),
    'the log of the worker': mayfly.logs('worker'),
    'the pods as the API server had them': pods.join('\n'),
    'the database': await database(),
    'the job as it is shown': JSON.stringify(detail),
    'the credentials as they are shown': shown,
    'the output': stdout,
    'the files that it left': await artifacts(job),
  }
  const auditLog = mayfly.stack.auditLogPath
  if (auditLog) places["the API server's audit log"] = readFileSync(auditLog, 'utf8')
  // What is looked for is really looked at: each place tells of this job.
  expect(places['the pods as the API server had them']).toContain(`automation-job-${job}-1`)
  expect(places['the history in Temporal']).toContain(`automation-job-${job}-1`)
  expect(places['the files that it left']).toBe('report.txt: all is well')
  expect(places['the database']).toContain('$mayfly$v1$')
  for (const [place, text] of Object.entries(places)) {
    expect(text.length, place).toBeGreaterThan(0)
    for (const [name, value] of Object.entries({ ...secrets, keyLine })) {
      expect(text.includes(value), `${name} in ${place}`).toBe(false)
    }
  }
})

test('what is kept of a pod that died has none either, whether they came with the pod or with the job', async () => {
  const inPod = { value: secret('env'), argument: secret('argument'), annotation: secret('annotation') }
  const override = `
metadata: {annotations: {example.org/inject: ${inPod.annotation}}}
spec:
  containers:
    - {name: worker, env: [{name: SITE_PASSWORD, value: ${inPod.value}}]}
    - {name: sidecar, image: "${mayfly.stack.image}", imagePullPolicy: IfNotPresent, command: [sh, -c, "true ${inPod.argument}"]}
`
  const group = await mayfly.post('/instance_groups/', {
    ...{ name: 'with secrets', is_container_group: true, pod_spec_override: override },
  })
  const template = await makeTemplate(mayfly, { ...catalog, group: group.id }, 'dying.yml')
  await attach(template, await credentialType('Machine'), 'dies', { username: 'root', password: secrets.password })
  await attach(template, await credentialType('Treasury'), 'treasure', { token: secrets.token })
  const job = await launch(mayfly, template)
  expect(await mayfly.ended(`/jobs/${job}/`)).toMatchObject({ status: 'error' })
  const { status, text: shown } = await mayfly.api('GET', `/jobs/${job}/post_mortem/`)
  expect(status, shown).toBe(200)
  const rows = await query<{ row: string }>(`SELECT t::text AS row FROM post_mortems t WHERE job_id = ${job}`)
  for (const text of [shown, ...rows.map(({ row }) => row)]) {
    for (const there of ['SITE_PASSWORD', 'example.org/inject', 'sidecar', 'it is ***']) expect(text).toContain(there)
    for (const [name, value] of Object.entries({ ...secrets, ...inPod })) expect(text.includes(value), name).toBe(false)
  }
  expect(rows).toHaveLength(1)
})

test('a password that is asked at launch is used, and forgotten when the job has ended', async () => {
  const template = await makeTemplate(mayfly, catalog, 'secrets.yml')
  await attach(template, await credentialType('Machine'), 'asks', { username: 'root', password: 'ASK' })
  const refused = await mayfly.api('POST', `/job_templates/${template}/launch/`, {})
  expect(refused.status).toBe(400)
  expect(refused.body).toEqual({ passwords_needed_to_start: ['ssh_password'] })
  const job = await launch(mayfly, template, { credential_passwords: { ssh_password: secrets.launchPassword } })
  await mayfly.ended(`/jobs/${job}/`)
  for (const [place, text] of Object.entries({
    database: await database(),
    history: await history(job),
    log: mayfly.logs('worker'),
  })) {
    expect(text.includes(secrets.launchPassword), place).toBe(false)
  }
  expect(await query(`SELECT id FROM unified_jobs WHERE launch_secrets IS NOT NULL`)).toEqual([])
})
