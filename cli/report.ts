import { EndedError } from './signals.ts'

/** Names of errors that nobody threw on purpose, or without a meaning of their own. */
const unexpected = new Set(['Error', 'TypeError', 'ReferenceError', 'RangeError', 'SyntaxError'])

/** Does the work of a process and ends it; the exit code tells, and a failure is said on stderr. */
export async function runProcess(work: () => Promise<unknown>): Promise<never> {
  try {
    await work()
  } catch (error) {
    report(error)
  }
  // Whatever a library left open must not keep a command from ending.
  process.exit()
}

/** Says why a command failed; errors of ours, all of which have names, without a stack. */
function report(error: unknown): void {
  process.exitCode = 1
  if (error instanceof EndedError) return
  if (!(error instanceof Error)) {
    console.error(`mayfly: ${String(error)}`)
    return
  }
  console.error(`mayfly: ${unexpected.has(error.name) ? error.stack : error.message}`)
  if ('remedy' in error && typeof error.remedy === 'string') console.error(`  → ${error.remedy}`)
}
