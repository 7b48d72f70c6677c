/** Another run of the workflow owns the attempt now (or nobody does): this run must stop without touching anything. */
export class FencedError extends Error {
  override readonly name = 'FencedError'

  constructor(attemptId: number, runId: string) {
    super(`attempt ${attemptId} is not owned by run ${runId}`)
  }
}
