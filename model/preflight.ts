/** One thing that was tried of a container group or its credential. */
export interface PreflightCheck {
  /** reach, tls, identity, rights, namespace, quota, pod, image, exec, deletion. */
  name: string
  /** `skipped`: what it builds on did not hold. */
  outcome: 'passed' | 'warning' | 'failed' | 'skipped'
  /** What was found. */
  message: string
  /** What to do about it; '' where nothing need be done. */
  remedy: string
  /** Milliseconds it took. */
  elapsed: number
}

/** What a test of a group or credential found. */
export interface PreflightReport {
  ok: boolean
  started: string
  finished: string
  checks: PreflightCheck[]
}
