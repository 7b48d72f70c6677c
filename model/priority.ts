/** Priorities of jobs, as Temporal counts them: 1 is served first, 5 last. */
export const priorities = [1, 2, 3, 4, 5] as const

/** What a job has that says nothing of it. */
export const defaultPriority = 3
