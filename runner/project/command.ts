import { spawn } from 'node:child_process'

/** A child process ended with another code than 0, or could not be started (code null). Its texts may hold secrets: redact before showing. */
export class CommandFailedError extends Error {
  override name = 'CommandFailedError'
  readonly command: string[]
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** `reason`: when somebody knows better than the program's own words. */
  constructor(command: string[], code: number | null, stdout: string, stderr: string, reason?: string) {
    super(reason || readable(stderr) || readable(stdout) || `${command[0]} ended with code ${code}`)
    this.command = command
    this.code = code
    this.stdout = stdout
    this.stderr = stderr
  }
}

/** A child process printed nothing for too long and was stopped. */
export class CommandSilentError extends Error {
  override name = 'CommandSilentError'
  constructor(program: string, silenceMs: number) {
    super(
      `${program} heard nothing for ${silenceMs / 1000} seconds and was stopped: the server or the way there hangs.`,
    )
  }
}

/** How far a transfer has come, which is no news once it has failed. */
const progressLine = /^(remote: +)?([A-Z][a-z]+ (objects|deltas)|Enumerating|Total \d|Updating files|Filtering content)/

/** The lines of an output, without empty ones and progress. */
export function outputLines(text: string): string[] {
  return text.split(/\r?\n|\r/).filter((line) => line.trim() !== '' && !progressLine.test(line))
}

/** The lines that say what went wrong, or the last ones when none is marked as such. */
function readable(text: string): string {
  const lines = outputLines(text)
  const marked = lines.filter((line) =>
    /^(fatal|error|remote|\* |ERROR|\[ERROR\]|ssh|.*Permission denied|Host key|.*NOT installed successfully)/.test(
      line,
    ),
  )
  return (marked.length > 0 ? marked : lines.slice(-3)).join('\n').slice(0, 4000)
}

/** How much of each output is kept, from its end. */
const mostOutput = 4 * 1024 * 1024
/** Milliseconds between asking a child to end and killing it. */
const grace = 2000

/** Where and how long a command runs. */
export interface CommandOptions {
  cwd: string
  env: Record<string, string>
  signal: AbortSignal
  /** How long it may print nothing, in milliseconds; absent: for ever. */
  silenceMs?: number
  /** Told what it prints, as it prints it. */
  onOutput?: (piece: Buffer, stream: 'stdout' | 'stderr') => void
}

/**
 * Runs a program to its end in a process group of its own and answers its stdout. Throws CommandFailedError; when the signal aborts, kills the
 * whole group and throws the signal's reason; when it is silent for too long, kills it and throws CommandSilentError.
 */
export async function runCommand(command: string[], options: CommandOptions): Promise<string> {
  const { cwd, env, silenceMs } = options
  const silence = new AbortController()
  const signal = AbortSignal.any([options.signal, silence.signal])
  signal.throwIfAborted()
  const [program = '', ...words] = command
  const child = spawn(program, words, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const stdout = new Tail(child.stdout)
  const stderr = new Tail(child.stderr)
  const { onOutput } = options
  if (onOutput) {
    child.stdout.on('data', (piece: Buffer) => onOutput(piece, 'stdout'))
    child.stderr.on('data', (piece: Buffer) => onOutput(piece, 'stderr'))
  }
  let killTimer: NodeJS.Timeout | undefined
  const kill = (name: NodeJS.Signals) => {
    try {
      if (child.pid) process.kill(-child.pid, name)
    } catch {
      // The group has ended by itself.
    }
  }
  const onAbort = () => {
    kill('SIGTERM')
    killTimer = setTimeout(() => kill('SIGKILL'), grace)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  const watch = silenceMs && setTimeout(() => silence.abort(new CommandSilentError(program, silenceMs)), silenceMs)
  if (watch) for (const stream of [child.stdout, child.stderr]) stream.on('data', () => watch.refresh())
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (error) => reject(new CommandFailedError(command, null, '', String(error.message))))
      child.once('close', (status) => resolve(status))
    })
    signal.throwIfAborted()
    if (code !== 0) throw new CommandFailedError(command, code, stdout.text(), stderr.text())
    return stdout.text()
  } finally {
    signal.removeEventListener('abort', onAbort)
    clearTimeout(killTimer)
    if (watch) clearTimeout(watch)
    // A child that went into the background must not outlive what it was started for.
    kill('SIGKILL')
  }
}

/** The end of a stream. */
class Tail {
  #pieces: Buffer[] = []
  #length = 0
  constructor(stream: NodeJS.ReadableStream) {
    stream.on('data', (piece: Buffer) => {
      this.#pieces.push(piece)
      this.#length += piece.length
      let first = this.#pieces[0]
      while (first && this.#length - first.length >= mostOutput) {
        this.#pieces.shift()
        this.#length -= first.length
        first = this.#pieces[0]
      }
    })
  }
  text(): string {
    return Buffer.concat(this.#pieces).toString('utf8')
  }
}
