/** A Temporal server for development: the CLI's, with a database that survives its death. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { elapsed, type Progress } from './cache.ts'
import { goBuild, temporalBuild } from './go-builds.ts'
import { port } from './numbers.ts'
import { ensurePart, type Stack } from './parts.ts'
import { run, which } from './run.ts'
import { writeWhole } from './state.ts'

/** The search attributes that Mayfly's workflows set, with their types. */
export const searchAttributes: Record<string, 'Int' | 'Keyword'> = {
  MayflyJobId: 'Int',
  MayflyTemplate: 'Keyword',
  MayflyGroup: 'Keyword',
  MayflyOrganization: 'Keyword',
  MayflyStatus: 'Keyword',
  MayflyLaunchedBy: 'Keyword',
  MayflyKind: 'Keyword',
}

const dynamicConfig = [
  // Without fairness and a single partition the server takes no notice of priorities.
  'matching.enableFairness=true',
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
  // A worker that shuts down gets its open polls back at once instead of losing a task to them.
  'frontend.enableCancelWorkerPollsOnShutdown=true',
  // As in deploy/: what a workflow asks for on its own worker comes with the answer, not through the queue.
  'system.enableActivityEagerExecution=true',
]

/** The program: on PATH, or built. */
export async function temporalProgram(progress: Progress): Promise<string> {
  return which('temporal') ?? join(await goBuild(temporalBuild(), progress), 'temporal')
}

/** Starts Temporal if it does not run. */
export async function ensureTemporal(stack: Stack, rebooted: boolean, progress: Progress): Promise<void> {
  const program = await temporalProgram(progress)
  const begin = performance.now()
  const database = join(stack.paths.state, 'temporal', 'temporal.db')
  await discardUnusable(database, program, rebooted, progress)
  const args = [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port(stack.record, 'temporal'))],
    ...['--ui-ip', '127.0.0.1', '--ui-port', String(port(stack.record, 'temporal-ui'))],
    ...['--db-filename', database, '--log-level', 'warn'],
    // Not flushing is safe against a killed process; after a power cut the file is checked.
    ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=OFF'],
    ...dynamicConfig.flatMap((value) => ['--dynamic-config-value', value]),
    ...Object.entries(searchAttributes).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
  ]
  const started = await ensurePart(stack, 'temporal', { program, args, log: join(stack.paths.logs, 'temporal.log') })
  progress(`temporal: ${started ? 'started' : 'runs'} (${elapsed(begin)})`)
}

/** Throws the database away when another version of the program wrote it, or a power cut damaged it. */
async function discardUnusable(
  database: string,
  program: string,
  rebooted: boolean,
  progress: Progress,
): Promise<void> {
  const mark = `${database}.version`
  const version = (await run(program, ['--version'])).trim()
  if (existsSync(database)) {
    const writer = existsSync(mark) ? readFileSync(mark, 'utf8') : 'an unknown version'
    const other = writer !== version ? `${writer} wrote it` : undefined
    const broken = rebooted && !intact(database) ? 'the machine went down and it is damaged' : undefined
    if (other || broken) {
      progress(`temporal: its database is thrown away: ${other ?? broken}`)
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${database}${suffix}`, { force: true })
    }
  }
  writeWhole(mark, version)
}

function intact(file: string): boolean {
  try {
    const database = new DatabaseSync(file)
    try {
      const row = database.prepare('PRAGMA quick_check').get()
      return Object.values(row ?? {})[0] === 'ok'
    } finally {
      database.close()
    }
  } catch {
    return false
  }
}
