/** The unmodified `awx` command of AWX 24.6.1, from its Python package. */
import { execFile } from 'node:child_process'
import { findPython } from '../../dev/ansible.ts'
import { cached } from '../../dev/cache.ts'
import { run } from '../../dev/run.ts'
import type { Mayfly } from './mayfly.ts'

/** awxkit imports pkg_resources, which newer setuptools no longer have. */
const packages = ['awxkit==24.6.1', 'setuptools<80']

/** How a command ended, and what it printed. */
export interface CommandResult {
  exitCode: number
  stdout: string
  stderr: string
}

/** Gets the command (once, into the cache) and returns how to run it as `admin` against a Mayfly. */
export async function awxCommand(mayfly: Mayfly): Promise<(...args: string[]) => Promise<CommandResult>> {
  const python = await awxkitPython(mayfly)
  return (...args) => python('from awxkit.cli import run; run()', ...args)
}

/** Runs Python with awxkit at hand, for what its command does not offer; the address and password are in CONTROLLER_* variables. */
export async function awxkitPython(
  mayfly: Mayfly,
): Promise<(code: string, ...args: string[]) => Promise<CommandResult>> {
  const python = await findPython()
  if (!python) throw new Error('the awx command needs Python with pip')
  const folder = await cached(
    {
      name: 'awxkit',
      inputs: [python.program, python.version, ...packages],
      takes: 'about 15 s',
      async make(target, log) {
        const args = ['-m', 'pip', 'install', '-q', '--target', target, ...packages]
        await run(python.program, args, { log, seconds: 300 })
      },
    },
    (line) => console.error(line),
  )
  const env = {
    ...process.env,
    PYTHONPATH: folder,
    CONTROLLER_HOST: mayfly.url,
    CONTROLLER_USERNAME: 'admin',
    CONTROLLER_PASSWORD: mayfly.password,
    CONTROLLER_VERIFY_SSL: 'false',
    CONTROLLER_COLOR: 'false',
    PYTHONWARNINGS: 'ignore',
  }
  return (code, ...args) =>
    new Promise((resolve) => {
      const command = ['-c', code, ...args]
      execFile(python.program, command, { env, timeout: 300_000 }, (error, stdout, stderr) => {
        resolve({ exitCode: error ? Number(error.code ?? 1) : 0, stdout, stderr })
      })
    })
}
