import type { RunnerJob } from './job.ts'

/** What goes to the worker's stdin. */
export interface Payload {
  /** Exact number of bytes that stream() yields. */
  size: number
  /** The bytes from the beginning; may be called again and yields the same. Throws PayloadChangedError when a file changed since. */
  stream(): AsyncIterable<Buffer>
  /** Secrets inside, for a Redactor. */
  secrets: string[]
}

/** A file of the project changed while it was being sent. */
export class PayloadChangedError extends Error {
  override name = 'PayloadChangedError'
}

/**
 * Prepares what is sent for a playbook job. Reads file sizes now and contents while streaming; nothing is kept on disk, so there is
 * nothing to clean up. Throws CredentialUnusableError, InventoryVariablesError, ProjectUnreadableError.
 */
export async function buildPayload(job: RunnerJob): Promise<Payload> {
  throw new Error(`${job.id}`)
}
