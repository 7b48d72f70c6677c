/** What a job was when something happened to it that is told. Instants are the store's text. */
export interface JobSnapshot {
  status: string
  failed: boolean
  started: string | null
  finished: string | null
  /** Seconds. */
  elapsed: number
  jobExplanation: string
}
