/** Runs a helper program to its end. */
import { spawn } from 'node:child_process'
import { accessSync, appendFileSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Options of `run`. */
export interface RunOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** Output is appended here as well, and the file is named in the error. */
  log?: string
  input?: string
  uid?: number
  gid?: number
  /** The process is killed after this time; default 60. */
  seconds?: number
}

/** Runs a program and gives its standard output; a failure is an error with the end of what it said. */
export function run(program: string, args: string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      timeout: (options.seconds ?? 60) * 1000,
      killSignal: 'SIGKILL',
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.gid }),
    })
    let output = ''
    let tail = ''
    const say = (chunk: Buffer): void => {
      tail = (tail + chunk.toString()).slice(-2000)
      if (options.log) appendFileSync(options.log, chunk)
    }
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      say(chunk)
    })
    child.stderr?.on('data', say)
    child.stdin?.on('error', () => {}) // It may end without reading; its exit code tells.
    child.stdin?.end(options.input)
    child.on('error', (error) => reject(new Error(`cannot run ${program}: ${error.message}`)))
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(output)
      const end = tail.trim().split('\n').slice(-8).join('\n')
      const where = options.log ? `; see ${options.log}` : ''
      reject(new Error(`${program} ${args.slice(0, 3).join(' ')}: ${signal ?? `exit code ${code}`}${where}\n${end}`))
    })
  })
}

/** Full path of a program on PATH (and in the system folders an ordinary user's PATH lacks); undefined when there is none. */
export function which(program: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const folders = [...(env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
  for (const folder of folders) {
    if (!folder) continue
    const file = join(folder, program)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // Not here.
    }
  }
  return undefined
}
