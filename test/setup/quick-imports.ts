/** Loaded before anything else into the processes that run end-to-end tests. */
import { resolveQuickly } from '../../cli/resolution.ts'

resolveQuickly()
