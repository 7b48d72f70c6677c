/** How to run a command in a container. */
export interface ExecOptions {
  /** Bytes for the command's stdin; `open`: stdin stays open and empty, so that the command sees EOF when we vanish. Absent: no stdin. */
  stdin?: AsyncIterable<Uint8Array> | 'open'
  signal?: AbortSignal
}

/** A running command. */
export interface ExecSession {
  /** Ends when the command's output ends; throws ExecLostError when the connection is lost. Not reading it stops the command (back-pressure). */
  readonly stdout: AsyncIterable<Buffer>
  /** What came on stderr so far, the last 64 KiB of it. */
  readonly stderr: string
  /** Rejects with ExecLostError, ContainerNotRunningError or CommandNotStartedError. */
  readonly result: Promise<{ exitCode: number }>
  /** Drops the connection. Only a command with open stdin notices. */
  abort(): void
}
