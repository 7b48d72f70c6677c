import type { attempts } from '../../store/schema/runtime.ts'

/** Opens shells in pods of attempts; made by the composition, because this room knows no cluster. */
export interface PodShells {
  /** A shell in which nothing is typed and nothing printed is ended after this time. */
  idleSeconds: number
  /** Open shells of one job, of this process. */
  mostPerJob: number
  /** Throws ShellRefusedError. */
  open(attempt: typeof attempts.$inferSelect, request: ShellRequest): Promise<PodShell>
}

/** What is to be run, in a terminal of which size (characters). */
export interface ShellRequest {
  command: string[]
  size: TerminalSize
  /** Told when the pod takes no more input for now, and when it does again. */
  onInput(state: 'full' | 'ready'): void
}

/** In characters. */
export interface TerminalSize {
  columns: number
  rows: number
}

/** A command with a terminal in a pod. */
export interface PodShell {
  /** What it prints. Ends when the command has ended; throws when the pod or the way to it is lost. */
  output: AsyncIterable<Uint8Array>
  /** The command's exit code; rejects with an error whose message says why there is none. */
  ended: Promise<number>
  write(bytes: Uint8Array): void
  resize(size: TerminalSize): void
  /** Hangs up: the command's terminal goes. */
  close(): void
}

/** There is no shell. `unready`: the pod does not run, or not any more; `cluster`: the cluster refuses it or cannot be reached. */
export class ShellRefusedError extends Error {
  override name = 'ShellRefusedError'
  readonly why: 'unready' | 'cluster'

  constructor(why: 'unready' | 'cluster', message: string) {
    super(message)
    this.why = why
  }
}
