/** The commands and their options. What a command needs is loaded when it runs, so that none pays for the others. */
import { Command } from 'commander'
import { runProcess } from './report.ts'

/** Options of `dev`. */
export interface DevOptions {
  name: string
  detach?: boolean
  down?: boolean
  erase?: boolean
  status?: boolean
}

/** Options of `demo`. */
export interface DemoOptions {
  name: string
  keep?: boolean
}

/** Of an API that was started without settings. */
const defaultUrl = 'http://127.0.0.1:8052'

/** Options of `shell`. */
export interface ShellOptions {
  url: string
  user: string
}

/** Runs the command that `argv` names and sets the exit code. */
export async function runProgram(argv: string[]): Promise<void> {
  const program = new Command('mayfly')
    .description('Durable Ansible jobs in ephemeral Kubernetes pods')
    .helpCommand(false)
  const migrateFirst = ['--migrate', 'bring the database to this release first'] as const
  const stackName = ['--name <stack>', 'which stack; several live side by side', 'dev'] as const

  program
    .command('dev')
    .description('everything on this machine: Kubernetes, Temporal, the API and the worker; until Ctrl-C')
    .option(...stackName)
    .option('--detach', 'start in the background and return when it is ready')
    .option('--status', 'say what runs and where')
    .option('--down', 'stop exactly what was started; data stays')
    .option('--erase', 'stop it and remove its data too')
    .action(async (options: DevOptions) => (await import('./dev.ts')).dev(options))
  program
    .command('api')
    .description('serve the HTTP API')
    .option(...migrateFirst)
    .action(async (options: { migrate?: boolean }) => (await import('./api.ts')).api(options.migrate ?? false))
  program
    .command('worker')
    .description('run jobs')
    .option(...migrateFirst)
    .action(async (options: { migrate?: boolean }) => (await import('./worker.ts')).worker(options.migrate ?? false))
  program
    .command('migrate')
    .description("bring the database to this release's schema and make its first objects")
    .action(async () => (await import('./migrate.ts')).migrateDatabase())
  program
    .command('doctor')
    .description('what is missing, and the remedy, a line each')
    .action(async () => (await import('./doctor.ts')).doctor())
  program
    .command('demo')
    .description('a real playbook on real hosts, from launch to clean-up')
    .option(...stackName)
    .option('--keep', 'leave the hosts running')
    .action(async (options: DemoOptions) => (await import('./demo/demo.ts')).demo(options))

  program
    .command('shell')
    .description('a terminal in the pod of a job, running or held, through the API')
    .argument('<job>', 'number of the job')
    .argument('[command...]', 'what to run in place of /bin/sh; after -- where it has options')
    .option('--url <address>', 'where the API is (CONTROLLER_HOST)', process.env.CONTROLLER_HOST ?? defaultUrl)
    .option('--user <name>', 'whose right it is (CONTROLLER_USERNAME)', process.env.CONTROLLER_USERNAME ?? 'admin')
    .action(async (job: string, command: string[], options: ShellOptions) =>
      (await import('./shell.ts')).shell(job, command, options),
    )

  await runProcess(() => program.parseAsync(argv))
}
