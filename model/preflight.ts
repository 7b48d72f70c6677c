/** What is tested, in this order. */
export const checkNames = [
  /** Settings and credential can be used at all. */
  'configuration',
  /** Somebody answers at the API server's address. */
  'reach',
  'tls',
  /** The API server takes us for somebody. */
  'identity',
  'namespace',
  /** What jobs do in the namespace we may do. */
  'rights',
  /** One pod more fits into the namespace's quotas. */
  'quota',
  /** The API server would take the pod that a job gets. */
  'pod',
  /** Such a pod finds a node, its image is pulled, and it starts. */
  'image',
  /** A command in it is run, and bytes go there and back. */
  'exec',
  'deletion',
] as const
/** One of them. */
export type CheckName = (typeof checkNames)[number]

/** One thing that was tried of a container group or its credential. */
export interface PreflightCheck {
  name: CheckName
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
