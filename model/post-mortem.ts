/** What is kept of a pod before it is deleted when its attempt ended otherwise than by a successful play. Holds no secret. */
export interface PostMortem {
  /** When it was taken, ISO. */
  taken: string
  cluster: string
  namespace: string
  pod: string
  /** The pod as the API server had it: manifest with values of its environment taken out, and status; null when it was gone. */
  manifest: Record<string, unknown> | null
  status: Record<string, unknown> | null
  /** Events of the pod, oldest first. */
  events: { time: string; type: string; reason: string; message: string; count: number }[]
  /** The node it ran on: name and conditions; null when it never had one, or the node may not be read. */
  node: { name: string; conditions: { type: string; status: string; reason: string; message: string }[] } | null
  /** The last lines that it printed, as stored. */
  lastLines: string[]
  /** Quotas of the namespace, as quantities. */
  quotas: { name: string; hard: Record<string, string>; used: Record<string, string> }[]
  /** What could not be found out, and why. */
  missing: string[]
}
