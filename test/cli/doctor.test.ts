import { type ChildProcess, spawn } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporalProgram } from '../../dev/temporal.ts'
import { until } from '../../dev/wait.ts'
import { runMayfly } from '../setup/command.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { freePort } from '../setup/port.ts'

let mayfly: Mayfly

beforeAll(async () => {
  mayfly = await startMayfly({ worker: false })
})
afterAll(() => mayfly.stop())

test('with everything there, every line is ok', async () => {
  const { code, output } = await runMayfly(['doctor'], mayfly.env)
  expect(output).not.toContain('MISSING')
  for (const line of [
    /^ok +database +postgres:\/\/postgres@\S+ answers and has this release's schema$/m,
    /^ok +temporal fairness +priority and fairness are observed, one partition$/m,
    /^ok +cluster rights +may run pods in namespace t-/m,
    /^ok +secret key +1 usable$/m,
    /^ok +git +git version/m,
    /^ok +ansible-galaxy /m,
  ]) {
    expect(output).toMatch(line)
  }
  expect(code).toBe(0)
})

test('every missing thing is a line with a remedy, and no password is shown', async () => {
  const { password } = new URL(mayfly.databaseUrl)
  const env = {
    ...mayfly.env,
    MAYFLY_DATABASE_URL: mayfly.databaseUrl.replace(/:\d+\//, ':1/'),
    MAYFLY_KUBECONFIG: '/nowhere/kubeconfig',
    MAYFLY_SECRET_KEY: 'short',
    MAYFLY_ANSIBLE_GALAXY: '/nowhere/ansible-galaxy',
    TEMPORAL_ADDRESS: '127.0.0.1:1',
  }
  const { code, output } = await runMayfly(['doctor'], env)
  for (const name of ['database', 'temporal server', 'cluster', 'secret key', 'ansible-galaxy']) {
    expect(output).toMatch(new RegExp(`^MISSING ${name} .*\n +→ \\S`, 'm'))
  }
  expect(output).not.toContain(password)
  expect(code).toBe(1)
})

test('a Temporal server as it comes ignores priority and fairness, and that is told', async () => {
  const port = await freePort()
  const args = [
    'server',
    'start-dev',
    '--headless',
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    '--log-level',
    'never',
  ]
  const server: ChildProcess = spawn(await temporalProgram(() => {}), args, { stdio: 'ignore' })
  try {
    const env = { ...mayfly.env, TEMPORAL_ADDRESS: `127.0.0.1:${port}`, TEMPORAL_NAMESPACE: 'default' }
    const { output } = await until({ what: 'the server to answer', seconds: 180 }, async () => {
      const end = await runMayfly(['doctor'], env)
      return /^ok +temporal namespace/m.test(end.output) ? end : undefined
    })
    expect(output).toMatch(/^MISSING temporal fairness .*\n +→ set matching.enableFairness=true/m)
  } finally {
    server.kill()
  }
})
