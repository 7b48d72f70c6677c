import { ArchiveError } from './archive/archive-error.ts'
import { CommandFailedError, CommandSilentError, outputLines } from './command.ts'
import { RequirementsError } from './galaxy.ts'
import { GitSourceError } from './git-url.ts'

/** An error as the result of a failed task; null when the work was aborted, which is no failure of the task. May hold secrets. */
export function describeFailure(error: unknown, signal: AbortSignal): Record<string, unknown> | null {
  if (signal.aborted) return null
  if (!(error instanceof CommandFailedError)) return { changed: false, msg: failureMessage(error) }
  return {
    changed: false,
    cmd: error.command.join(' '),
    rc: error.code,
    msg: error.message,
    stdout_lines: outputLines(error.stdout).slice(-50),
    stderr_lines: outputLines(error.stderr).slice(-50),
  }
}

/** True for what the project, its remote or its requirements are to blame for, false for trouble of the control plane itself. */
export function isExpected(error: unknown): error is Error {
  return [ArchiveError, CommandFailedError, CommandSilentError, GitSourceError, RequirementsError].some(
    (kind) => error instanceof kind,
  )
}

/** What people are told; may hold secrets. */
export function failureMessage(error: unknown): string {
  if (isExpected(error)) return error.message
  return `Unexpected failure on the control plane: ${error instanceof Error ? error.message : String(error)}`
}
