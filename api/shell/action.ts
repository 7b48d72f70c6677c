import { and, desc, eq, isNull, ne } from 'drizzle-orm'
import { attempts } from '../../store/schema/runtime.ts'
import type { RequestContext } from '../context.ts'
import { ApiError, PermissionDeniedError, ValidationError } from '../errors.ts'
import type { JobRow } from '../jobs/fields.ts'
import type { Action } from '../resource.ts'
import { bridge, isExtent } from './bridge.ts'
import { type PodShell, type PodShells, ShellRefusedError, type TerminalSize } from './pod-shells.ts'

/**
 * `…/shell/?command=/bin/sh&columns=80&rows=24`: a web socket to a shell in the live pod of the job (bridge.ts has its messages). It has a right of its own,
 * `shell`: who may read or launch a job may not look into its pod, where its secrets are.
 */
export const shellAction: Action<JobRow> = {
  async GET({ object, query, context }) {
    const { actor, deps, upgrade } = context
    if (!upgrade) {
      const detail = 'This is a web socket: ask for an upgrade, or use the command `mayfly shell`.'
      throw new ApiError(426, { detail }, { Upgrade: 'websocket', Connection: 'Upgrade' })
    }
    // A GET changes nothing elsewhere; in a shell everything can be changed.
    if (actor.scope === 'read') throw new PermissionDeniedError()
    refuseForeignPage(context)
    const command = commandOf(query)
    const size = sizeOf(query)
    const { shells } = deps
    if (!shells) throw new ApiError(503, { detail: 'This process opens no shells.' })
    const attempt = await liveAttempt(object.id, context)
    const place = takePlace(shells, object.id)
    let socketInput: { pause(): void; resume(): void } | undefined
    let shell: PodShell
    try {
      const onInput = (state: 'full' | 'ready') => (state === 'full' ? socketInput?.pause() : socketInput?.resume())
      shell = await shells.open(attempt, { command, size, onInput })
    } catch (error) {
      place.giveBack()
      if (error instanceof ShellRefusedError)
        throw new ApiError(error.why === 'unready' ? 409 : 502, { detail: error.message })
      throw error
    }
    // Only the program: what follows it may hold a secret, and what is typed is never logged.
    const told = {
      ...{ audit: 'shell', user: actor.id, username: actor.username, address: context.remoteAddress, job: object.id },
      ...{ namespace: attempt.namespace, pod: attempt.podName, program: command[0] },
    }
    const gone = () => {
      place.giveBack()
      shell.close()
    }
    // A client that goes before it was answered never takes its socket.
    const waiting = setTimeout(gone, handshakeMs)
    return upgrade((socket) => {
      clearTimeout(waiting)
      socketInput = socket
      const from = new Date().toISOString()
      deps.log.info({ ...told, from }, 'shell opened')
      bridge(socket, shell, shells.idleSeconds * 1000)
        .then((why) => deps.log.info({ ...told, from, to: new Date().toISOString(), why }, 'shell closed'))
        .finally(gone)
    })
  },
  permission: { GET: 'shell' },
  ownFormats: true,
  link: false,
  title: 'Shell',
}

const handshakeMs = 10_000

/** Browsers send cookies, and passwords that they know, wherever a page wants to connect to; they also say which page it is. */
function refuseForeignPage({ request, actor, deps }: RequestContext): void {
  const origin = request.headers.get('origin')
  if (origin === null && actor.via !== 'session') return
  const own = [new URL(request.url).host, URL.parse(deps.publicUrl)?.host]
  const host = URL.parse(origin ?? '')?.host
  if (!host || !own.includes(host)) {
    throw new PermissionDeniedError('A page of another site must not open a shell (Origin).')
  }
}

/** Words of the command; without any the shell that every image has. */
function commandOf(query: URLSearchParams): string[] {
  const words = query.getAll('command')
  if (words.length === 0) return ['/bin/sh']
  if (words[0] === '' || words.some((word) => word.includes('\0'))) {
    throw ValidationError.on('command', 'The first word must be a program, such as /bin/bash; one command= a word.')
  }
  return words
}

function sizeOf(query: URLSearchParams): TerminalSize {
  const read = (name: string, byDefault: number) => {
    const text = query.get(name)
    const value = text === null ? byDefault : Number(text)
    if (text === '' || !isExtent(value)) throw ValidationError.on(name, 'A whole number from 1 to 1000.')
    return value
  }
  return { columns: read('columns', 80), rows: read('rows', 24) }
}

/** The attempt that has a pod; one whose pod is kept after its end counts as well. */
async function liveAttempt(jobId: number, { db }: RequestContext) {
  const [attempt] = await db
    .select()
    .from(attempts)
    .where(and(eq(attempts.jobId, jobId), isNull(attempts.releasedAt), ne(attempts.podName, '')))
    .orderBy(desc(attempts.number))
    .limit(1)
  if (!attempt?.podUid) throw new ApiError(409, { detail: 'This job has no pod now: a shell needs one that runs.' })
  return attempt
}

/** Open shells by job, for each that opens them. */
const open = new WeakMap<PodShells, Map<number, number>>()

function takePlace(shells: PodShells, jobId: number): { giveBack(): void } {
  const byJob = open.get(shells) ?? new Map<number, number>()
  open.set(shells, byJob)
  const taken = byJob.get(jobId) ?? 0
  if (taken >= shells.mostPerJob) {
    const detail = `This job has ${taken} open shells, which is as many as it may have. Close one of them.`
    throw new ApiError(409, { detail })
  }
  byJob.set(jobId, taken + 1)
  let given = false
  return {
    giveBack() {
      if (given) return
      given = true
      const left = (byJob.get(jobId) ?? 1) - 1
      if (left > 0) byJob.set(jobId, left)
      else byJob.delete(jobId)
    },
  }
}
