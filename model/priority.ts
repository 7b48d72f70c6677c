/** Priorities of jobs, as Temporal counts them: 1 is served first, 5 last. */
export const firstPriority = 1
/** Served when nothing else waits, or when it has waited long enough. */
export const lastPriority = 5

/** What a job has that says nothing of it. */
export const defaultPriority = 3
