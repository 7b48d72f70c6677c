import { systemJobTypes } from '../../model/system-job.ts'
import type { Choice } from '../field.ts'

/** Kinds of system jobs, as OPTIONS offers them. */
export const systemJobTypeChoices: readonly Choice[] = [
  ['', '---------'],
  ...(Object.entries(systemJobTypes) as Choice[]),
]
