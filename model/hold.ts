import { instantText } from './instant-text.ts'

/** Longest time, in seconds, that a pod is kept for whoever wants to look into it: as long as its container waits for us after the play. */
export const longestHoldSeconds = 86_400

/** What the record of a job says whose pod went before its time. Instants as the store gives them. */
export function drainedHoldText(group: string, { askedFor, deadline }: { askedFor: string; deadline: string }): string {
  return `Its pod was to be kept until ${instantText(askedFor)}, but went at the deadline of the drain of instance group "${group}", ${instantText(deadline)}.`
}
