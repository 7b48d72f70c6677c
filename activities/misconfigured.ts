import { ConfigurationError } from '../kubernetes/errors.ts'
import { OverrideSyntaxError } from '../model/pod-template.ts'
import { GroupMisconfiguredError } from './deps.ts'

/** Whether the place of a group could not be opened because of how somebody configured the group or its credential; the message says what is wrong. */
export function isMisconfigured(
  error: unknown,
): error is GroupMisconfiguredError | OverrideSyntaxError | ConfigurationError {
  return (
    error instanceof GroupMisconfiguredError ||
    error instanceof OverrideSyntaxError ||
    error instanceof ConfigurationError
  )
}
