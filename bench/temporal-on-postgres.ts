/** Temporal as `temporal-compose.yml` has it, for a bench: the full server on a PostgreSQL that it shares with nobody. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stackStatus, startStack, stopStack } from '../dev/stack.ts'
import { readCompose } from '../test/deploy/compose-file.ts'
import { ComposedTemporal } from '../test/deploy/composed-temporal.ts'
import type { Undo } from '../test/setup/own-places.ts'
import type { Say } from './bench.ts'

const stackName = 'bench-temporal'

/** Where it serves, and its processes for the account of processor time. */
export interface TemporalOnPostgres {
  address: string
  pid: number
  postgresPid: number
}

/** Starts it from nothing; `undo` takes it down with all that it stored. */
export async function startTemporalOnPostgres(say: Say, undo: Undo): Promise<TemporalOnPostgres> {
  await stopStack(stackName, { erase: true })
  undo.add(() => stopStack(stackName, { erase: true }))
  const want = { kubernetes: false, temporal: false, image: false, postgres: true }
  const { postgresUrl } = await startStack({ name: stackName, want, progress: say })
  if (!postgresUrl) throw new Error(`the stack ${stackName} lacks PostgreSQL`)
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-bench-temporal-'))
  undo.add(async () => rmSync(folder, { recursive: true, force: true }))
  const temporal = await ComposedTemporal.prepare(readCompose(), postgresUrl, folder, say)
  await temporal.runStep('schema')
  await temporal.server.start()
  undo.add(() => temporal.server.stop('SIGTERM'))
  await temporal.runStep('namespace')
  const postgres = (await stackStatus(stackName)).parts.find(({ part }) => part === 'postgres')
  if (!postgres) throw new Error(`the stack ${stackName} lacks PostgreSQL`)
  say('temporal: serves on PostgreSQL')
  return { address: temporal.server.address, pid: temporal.server.pid, postgresPid: postgres.pid }
}
