import { ServiceError } from '@temporalio/client'

/** Why something failed, in the server's own words where the error has any (gRPC keeps them in `details`). */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Temporal's client says only what it was doing; its cause says why it could not.
  if (error instanceof ServiceError && error.cause instanceof Error) return reasonOf(error.cause)
  const details = 'details' in error ? error.details : undefined
  return typeof details === 'string' && details !== '' ? details : error.message
}
