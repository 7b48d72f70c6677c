/**
 * What closes a group's gate whatever its limits say: a used-up quota, pods that no node takes, an API server that sheds load, one that cannot be
 * reached or refuses our identity, or a group that cannot be used until somebody changes it.
 */
export const brakeKinds = ['quota', 'scheduler', 'throttled', 'unreachable', 'misconfigured'] as const
/** One of them. */
export type BrakeKind = (typeof brakeKinds)[number]
