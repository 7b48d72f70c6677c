import type { Pod } from '../../kubernetes/objects.ts'
import { causeOfRunnerExit } from '../../kubernetes/pod-end.ts'
import type { RunnerEnd } from '../../kubernetes/spool.ts'
import { type Cause, cause } from '../../model/cause.ts'
import { explainFailedPlay, type PlayOutcome } from '../../model/explanation.ts'
import type { Collected } from './collect.ts'

/** What is known when a pod's output has ended. */
export interface Ending {
  collected: Collected
  /** What the pod said after the proof; null when it could not be asked any more. */
  end: RunnerEnd | null
  /** Why somebody else ended the pod; null when nobody did. */
  podEnding: Cause | null
  /** The pod as it was at the end of the output; null when nobody asked. */
  pod: Pod | null
  /** True when the user asked for the job to be cancelled. */
  cancelRequested: boolean
  outcome: PlayOutcome
}

/**
 * Turns the end of a run into its cause; null for a successful play. Success is the runner's word AND the whole output: an exit
 * code of 0 says nothing.
 */
export function interpretEnding({ collected, end, podEnding, pod, cancelRequested, outcome }: Ending): Cause | null {
  const said = [...collected.noise, end?.stderrTail ?? ''].join('\n').trim()
  const status = collected.complete ? collected.status?.status : undefined
  switch (status) {
    case 'successful':
      return collected.damage
        ? cause('output_damaged', `The play succeeded, but its output is damaged: ${collected.damage.message}.`)
        : null
    case 'failed': {
      if (collected.status?.out_of_memory === true) {
        return cause('out_of_memory', 'The command was killed for using more memory than its container may have.', said)
      }
      const exitCode = collected.status?.exit_code
      if (typeof exitCode === 'number') return commandFailed(exitCode, said)
      const { cause: kind, text } = explainFailedPlay(outcome)
      return cause(kind, text, said)
    }
    case 'canceled':
      if (cancelRequested) return cause('canceled', '')
      return podEnding ?? cause('runner_shut_down', 'The running ansible process received a shutdown signal.', said)
    case 'timeout':
      return cause('timed_out', 'Job terminated due to timeout', said)
    case 'error': {
      const { job_explanation: explanation, result_traceback: traceback } = collected.status ?? { status: 'error' }
      const detail = [traceback, said].filter(Boolean).join('\n')
      return cause(
        'runner_error',
        typeof explanation === 'string' ? explanation : 'Job terminated due to error',
        detail,
      )
    }
    default:
      return withoutVerdict({ end, podEnding, pod, cancelRequested }, said)
  }
}

function withoutVerdict(
  { end, podEnding, pod, cancelRequested }: Pick<Ending, 'end' | 'podEnding' | 'pod' | 'cancelRequested'>,
  said: string,
): Cause {
  if (cancelRequested) return cause('canceled', '')
  if (podEnding) return podEnding
  if (/got an unexpected keyword argument/.test(said)) {
    const message =
      'The ansible-runner in the image is too old for this job. Update ansible-runner in the execution environment.'
    return cause('runner_error', message, said)
  }
  const found = end ? causeOfRunnerExit(end, pod ?? undefined) : null
  if (found) return { ...found, detail: said || `The runner ended with exit code ${end?.exitCode}.` }
  return cause('runner_error', 'The runner ended without a verdict.', said)
}

/** Of a container job: what its own exit code says. */
function commandFailed(exitCode: number, said: string): Cause {
  const known: Record<number, string> = {
    125: ': what comes before it could not be done; the last line says what',
    126: ': the program cannot be executed',
    127: ': the image has no such program',
  }
  const killed = exitCode > 128 ? `: it was ended by signal ${exitCode - 128}` : ''
  return cause('command_failed', `The command ended with exit code ${exitCode}${known[exitCode] ?? killed}.`, said)
}
