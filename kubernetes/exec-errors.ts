import { KubernetesError } from './errors.ts'

/** The container does not run: not yet, or no longer. The API server says the same for both, so look at the pod to tell which. */
export class ContainerNotRunningError extends KubernetesError {
  override readonly transient = true
}

/** The container runs but the command could not be started: not in the image, or no memory for it. */
export class CommandNotStartedError extends KubernetesError {
  protected override readonly causeKind = 'container_not_created'
}

/** The connection broke before the command ended; whether the command still runs is unknown. */
export class ExecLostError extends KubernetesError {
  override readonly transient = true
}
