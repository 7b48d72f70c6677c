import { type Cause, cause } from '../model/cause.ts'
import { KubernetesError } from './errors.ts'
import type { Pod } from './objects.ts'
import { podFate } from './pod-state.ts'

/** The pod is gone, terminal or replaced by another of its name; what was not read from it is lost. */
export class PodEndedError extends KubernetesError {
  /** Its last known state; null when it never was seen. */
  readonly pod: Pod | null
  readonly how: 'gone' | 'terminal' | 'replaced'

  constructor(how: 'gone' | 'terminal' | 'replaced', name: string, pod: Pod | null) {
    super(
      how === 'terminal' ? `Pod ${name} has ended.` : `Pod ${name} was deleted.`,
      pod ? JSON.stringify(pod.status ?? {}) : `The API server no longer has the pod ${name} that was created.`,
    )
    this.how = how
    this.pod = pod
  }

  override toCause(): Cause {
    if (this.pod) {
      const fate = podFate(this.pod, { now: Date.now() })
      if ((fate.state === 'ended' || fate.state === 'failed-to-start') && fate.cause) return fate.cause
    }
    if (this.how === 'terminal')
      return cause('pod_failed', `${this.message} Its output was not read to the end.`, this.detail)
    return cause('pod_deleted', `${this.message} Somebody or something other than Mayfly removed it.`, this.detail)
  }
}

/** The pod cannot start: image, configuration, init container. */
export class PodNotStartingError extends KubernetesError {
  readonly found: Cause

  constructor(found: Cause) {
    super(found.message, found.detail)
    this.found = found
  }

  override toCause(): Cause {
    return this.found
  }
}

/** The runner still runs, or its output is longer (or shorter) than what was stored. */
export class SpoolIncompleteError extends KubernetesError {
  /** Bytes of output in the pod; null while the runner runs. */
  readonly size: number | null
  readonly expected: number

  constructor(size: number | null, expected: number) {
    super(
      size === null
        ? 'The runner has not ended yet.'
        : `The pod holds ${size} bytes of output, but ${expected} were stored.`,
    )
    this.size = size
    this.expected = expected
  }

  override toCause(): Cause | null {
    return this.size !== null && this.size < this.expected ? cause('output_damaged', this.message) : null
  }
}
