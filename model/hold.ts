/** Longest time, in seconds, that a pod is kept for whoever wants to look into it: as long as its container waits for us after the play. */
export const longestHoldSeconds = 86_400
