import { ApplicationFailure, Context } from '@temporalio/activity'
import { TemporalFailure } from '@temporalio/common'
import { KubernetesError } from '../kubernetes/errors.ts'
import { DatabaseUnavailableError } from '../store/errors.ts'
import { FencedError } from '../store/fence.ts'
import { fenced } from './failures.ts'

/** An error that is nobody's outage is a defect of ours: after this many tries the job ends with it rather than hanging for ever. */
const mostTries = 12

/**
 * Wraps an activity so that every error leaves it as what it means: outages are tried again without end, losing to a newer run stops at
 * once, and defects are tried a few times.
 */
export function guarded<Input extends unknown[], Result>(
  activity: (...input: Input) => Promise<Result>,
): (...input: Input) => Promise<Result> {
  return async (...input) => {
    try {
      return await activity(...input)
    } catch (error) {
      if (error instanceof FencedError) throw fenced(error.message)
      if (error instanceof TemporalFailure || error instanceof DatabaseUnavailableError) throw error
      if (error instanceof KubernetesError && error.transient) throw error
      const message = error instanceof Error ? error.message : String(error)
      if (Context.current().info.attempt < mostTries) throw error
      throw ApplicationFailure.create({
        type: 'Defect',
        message,
        nonRetryable: true,
        ...(error instanceof Error ? { cause: error } : {}),
      })
    }
  }
}
