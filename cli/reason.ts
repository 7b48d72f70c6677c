/** Why something failed, in the server's own words where the error has any (gRPC keeps them in `details`). */
export function reasonOf(error: unknown): string {
  const details = error instanceof Error && 'details' in error ? error.details : undefined
  if (typeof details === 'string' && details !== '') return details
  return error instanceof Error ? error.message : String(error)
}
