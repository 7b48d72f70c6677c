/** A "pod" for tests of the scripts: the wrapper and every exec are processes of this machine, with folders of their own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NotFoundError } from '../errors.ts'
import type { ExecOptions, ExecSession } from '../exec.ts'
import { ContainerNotRunningError, ExecLostError } from '../exec-errors.ts'
import type { ContainerState, Pod } from '../objects.ts'
import type { PodAccess, SpooledPod } from '../pod-talk.ts'
import { payloadFolder, spoolFolder } from '../scripts.ts'

/** Which tools the "image" has. */
export type Tools = 'gnu' | 'small'

/** A pod that is a folder, and processes of this machine; runs the wrapper and the scripts as they are. */
export class LocalPod implements PodAccess {
  readonly ref: SpooledPod = { namespace: 'local', name: 'pod', uid: 'uid-1' }
  readonly folder = mkdtempSync(join(tmpdir(), 'mayfly-pod-'))
  /** Number of execs so far, and whether the object is there. */
  execs = 0
  deleted = false
  uid = this.ref.uid
  /** Called with every piece of output that an exec is about to hand out. */
  onOutput: (session: LocalExec) => void = () => {}
  readonly #environment: NodeJS.ProcessEnv
  #wrapper: ChildProcess | null = null
  #exit: Promise<number> | null = null
  #exitCode: number | null = null
  readonly #sessions = new Set<LocalExec>()

  constructor(tools: Tools) {
    for (const name of ['in', 'spool', 'bin']) mkdirSync(join(this.folder, name))
    this.#environment = { ...process.env, PATH: `${join(this.folder, 'bin')}:${process.env.PATH}` }
    // Busybox' tail knows neither --version nor --pid, which is all that the scripts ask of it.
    if (tools === 'small') {
      this.install('tail', '#!/bin/sh\ncase "$*" in *--*) exit 1;; esac\nPATH=/usr/bin:/bin exec tail "$@"\n')
    }
  }

  /** Puts a program into the image. */
  install(name: string, script: string): void {
    writeFileSync(join(this.folder, 'bin', name), script)
    chmodSync(join(this.folder, 'bin', name), 0o755)
  }

  /** Starts the container with args as made by wrapperArgs(). */
  start(args: string[]): void {
    const [command = '', ...words] = this.#localized(args)
    const child = spawn(command, words, { env: this.#environment, stdio: 'ignore', detached: true })
    this.#wrapper = child
    this.#exit = new Promise((resolve) =>
      child.once('close', (code, signal) => {
        this.#exitCode = code ?? (signal === 'SIGKILL' ? 137 : 143)
        resolve(this.#exitCode)
      }),
    )
  }

  /** Exit code of the container, when it has ended. */
  async ended(): Promise<number> {
    if (!this.#exit) throw new Error('never started')
    return this.#exit
  }

  /** Sends a signal to process 1. */
  kill(signal: NodeJS.Signals): void {
    this.#wrapper?.kill(signal)
  }

  /** Breaks every connection; the processes in the pod live on, as in a cluster. */
  cut(): void {
    for (const session of this.#sessions) session.lose()
  }

  async getPod(): Promise<Pod> {
    if (this.deleted) throw new NotFoundError('object', 'pods "pod" not found', '')
    let state: ContainerState = { waiting: { reason: 'ContainerCreating' } }
    if (this.#wrapper) state = { running: {} }
    if (this.#exitCode !== null) state = { terminated: { exitCode: this.#exitCode, reason: 'Error' } }
    return {
      metadata: { name: 'pod', namespace: 'local', uid: this.uid, resourceVersion: '1' },
      spec: { containers: [{ name: 'worker' }] },
      status: {
        phase: state.terminated ? 'Failed' : state.running ? 'Running' : 'Pending',
        containerStatuses: [{ name: 'worker', state }],
      },
    }
  }

  async exec(_namespace: string, _pod: string, _container: string, command: string[], options: ExecOptions = {}) {
    this.execs++
    options.signal?.throwIfAborted()
    if (!this.#wrapper || this.#exitCode !== null) throw new ContainerNotRunningError('not running')
    const [program = '', ...words] = this.#localized(command)
    const child = spawn(program, words, { env: this.#environment, stdio: ['pipe', 'pipe', 'pipe'] })
    const session = new LocalExec(child, options, () => this.onOutput(session))
    this.#sessions.add(session)
    session.result.then(
      () => this.#sessions.delete(session),
      () => this.#sessions.delete(session),
    )
    return session
  }

  async remove(): Promise<void> {
    this.cut()
    if (this.#wrapper?.pid) {
      try {
        // The whole group: what the wrapper started does not outlive the test.
        process.kill(-this.#wrapper.pid, 'SIGKILL')
      } catch {
        // All of it has ended.
      }
      await this.#exit
    }
    rmSync(this.folder, { recursive: true, force: true })
  }

  #localized(words: string[]): string[] {
    const local = (text: string) =>
      text.replaceAll(payloadFolder, join(this.folder, 'in')).replaceAll(spoolFolder, join(this.folder, 'spool'))
    return words.map(local)
  }
}

/** One process as an exec session. */
export class LocalExec implements ExecSession {
  readonly stdout: AsyncIterable<Buffer>
  readonly result: Promise<{ exitCode: number }>
  stderr = ''
  readonly #child: ChildProcess
  #lost: (error: Error) => void = () => {}
  #hangs = false

  constructor(child: ChildProcess, options: ExecOptions, onOutput: () => void) {
    this.#child = child
    const { stdin, stdout } = child
    child.stderr?.on('data', (data) => {
      if (this.#hangs) return
      this.stderr += data
      options.onStderr?.()
    })
    stdin?.on('error', () => {})
    this.result = new Promise((resolve, reject) => {
      this.#lost = reject
      child.once('close', (code) => this.#hangs || resolve({ exitCode: code ?? 137 }))
      options.signal?.addEventListener('abort', () => this.lose(), { once: true })
    })
    this.result.catch(() => {})
    const { result } = this
    const hangs = () => this.#hangs
    this.stdout = (async function* () {
      try {
        for await (const chunk of stdout ?? []) {
          if (hangs()) break
          yield chunk
          onOutput()
        }
      } catch {
        // Destroyed: the result says why.
      }
      await result
    })()
    if (stdin && options.stdin && options.stdin !== 'open') {
      const source = options.stdin
      void (async () => {
        for await (const chunk of source) {
          if (stdin.destroyed) return
          await new Promise((resolve) => stdin.write(chunk, resolve))
        }
        stdin.end()
      })().catch(() => this.lose())
    }
    if (!options.stdin) stdin?.end()
  }

  /** The connection is there, and nothing comes over it any more. */
  hang(): void {
    this.#hangs = true
  }

  /** The connection breaks: the process sees the end of its stdin, we see nothing more. */
  lose(): void {
    this.#lost(new ExecLostError('lost'))
    this.#child.stdin?.destroy()
    this.#child.stdout?.destroy()
  }

  /** A process of this machine has no terminal here. */
  resize(): void {}

  abort(): void {
    this.lose()
  }
}
