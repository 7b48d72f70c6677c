/** Another run of the workflow owns the job or attempt now (or nobody does): this run must stop without touching anything. */
export class FencedError extends Error {
  override readonly name = 'FencedError'

  /** `what` is `job 7` or `attempt 9`. */
  constructor(what: string, runId: string | null) {
    super(`${what} is not owned by run ${runId}`)
  }
}
