import { channels } from '../../store/channel.ts'
import { toWireTime } from '../../store/instant.ts'
import {
  askForPreflight,
  type PreflightRow,
  type PreflightSubject,
  readPreflight,
  readPreflights,
} from '../../store/preflights.ts'
import { ValidationError } from '../errors.ts'
import type { ActionField, ActionInput, ActionResult } from '../resource.ts'
import { storedResult } from '../stored-result.ts'

/** How long a request waits for its test before it answers with where the report will be. */
const patienceSeconds = 60

/** OPTIONS of a group's test. */
export const groupTestFields: Record<string, ActionField> = {
  run_pod: {
    type: 'boolean',
    required: false,
    label: 'Run a pod',
    help_text: 'Make a real pod, run a command in it and delete it; the other checks change nothing.',
    default: true,
  },
}

/** The tests of a subject that are kept, newest first. */
export async function listTests(subject: PreflightSubject, { context }: ActionInput): Promise<ActionResult> {
  const rows = await readPreflights(context.db, subject)
  return { status: 200, body: { count: rows.length, next: null, previous: null, results: rows.map(wireOf) } }
}

/**
 * Asks the worker for a test, as only workers reach clusters, and answers its report; 202 when that takes too long: it is then found by GET of the same path. Runs outside
 * of a transaction, so that the worker sees what was asked.
 */
export async function runTest(subject: PreflightSubject, { body, context }: ActionInput): Promise<ActionResult> {
  const { run_pod: runPod = true } = body
  if (typeof runPod !== 'boolean') throw ValidationError.on('run_pod', 'Must be a valid boolean.')
  const { db } = context
  const { id } = await db.transaction((tx) => askForPreflight(tx, subject, { runPod }))
  const finished = await storedResult(context, channels.preflights, patienceSeconds, async () => {
    const row = await readPreflight(db, id)
    return row?.finished ? row : undefined
  })
  const row = finished ?? (await readPreflight(db, id))
  // What it tested was deleted meanwhile.
  if (!row) return { status: 204 }
  const headers = { Location: new URL(context.request.url).pathname }
  return finished ? { status: 200, body: wireOf(row) } : { status: 202, body: wireOf(row), headers }
}

function wireOf({ id, trigger, runPod, ok, created, finished, report }: PreflightRow) {
  return {
    ...{ id, type: 'preflight', trigger, run_pod: runPod, created: toWireTime(created) },
    ...{ finished: finished && toWireTime(finished), ok, checks: report?.checks ?? [] },
  }
}
