import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../../kubernetes/cluster.ts'
import { AlreadyExistsError, NotFoundError, QuotaBusyError, QuotaExceededError } from '../../kubernetes/errors.ts'
import { ContainerNotRunningError } from '../../kubernetes/exec-errors.ts'
import type { Pod } from '../../kubernetes/objects.ts'
import { PodEndedError, PodNotStartingError } from '../../kubernetes/pod-errors.ts'
import { followFate } from '../../kubernetes/pod-state.ts'
import { podLabels } from '../../model/attempt.ts'
import type { ReadyManifest } from '../../model/pod-template-manifest.ts'
import type { ActivityDeps } from '../deps.ts'
import { removePod } from '../play/remove-pod.ts'
import type { Checklist } from './checklist.ts'
import { type Finding, failed, findingOf, passed, warning } from './findings.ts'

/** A pod that is tried out. */
export interface PodToTest {
  cluster: Cluster
  manifest: ReadyManifest
  signal: AbortSignal
}

/** How long a pod may take to start, its image to be pulled included. */
const startMs = 120_000
/** How long an image may fail to be pulled before it counts as not pullable; one that does not exist counts at once. */
const pullMs = 30_000
const lookEveryMs = 500
const deletionMs = 60_000
const execMs = 20_000
const echo = 'the pod hears and answers'

/** Labels of a pod that a test owns: the reaper deletes it when the test is over and the pod is not gone. */
export function testLabels(installUuid: string, preflightId: number, groupId: number): Record<string, string> {
  return {
    [podLabels.install]: installUuid,
    [podLabels.preflight]: String(preflightId),
    [podLabels.group]: String(groupId),
  }
}

/** Name of a test's pod; installations that share a namespace have others. */
export function testPodName(installUuid: string, preflightId: number): string {
  return `automation-test-${createHash('sha256').update(installUuid).digest('hex').slice(0, 5)}-${preflightId}`
}

/** What a test's container does: nothing, until it is told to end. */
export const testArgs = ['sh', '-c', 'trap "exit 0" TERM; sleep 600 & wait']

/** Asks the API server what it would make of the pod; a quota is told apart from everything else that it may have against it. */
export async function checkAdmission(list: Checklist, { cluster, manifest, signal }: PodToTest): Promise<void> {
  if (!list.sound) return
  const begun = performance.now()
  const { namespace } = manifest.metadata
  let tried: Pod | undefined
  let refusal: unknown
  try {
    tried = await patiently(() => cluster.probe.tryPod(namespace, manifest, { signal }), signal)
  } catch (error) {
    signal.throwIfAborted()
    refusal = error
  }
  const elapsed = performance.now() - begun
  if (refusal instanceof QuotaExceededError) return list.note('quota', quotaFinding(refusal), elapsed)
  list.note('quota', passed(await quotaNumbers(cluster, namespace, signal)), elapsed)
  if (refusal !== undefined) return list.note('pod', findingOf(refusal), elapsed)
  const containers = tried?.spec.containers?.length ?? 0
  list.note(
    'pod',
    passed(`The API server would take the pod, with ${containers} container${containers === 1 ? '' : 's'}.`),
    elapsed,
  )
}

/** A quota that was made a moment ago refuses everybody until it is counted. */
async function patiently<Answer>(ask: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof QuotaBusyError) || tries === 10) throw error
      await sleep(lookEveryMs, undefined, { signal })
    }
  }
}

/** A quota that is used up is how a busy group looks; one that is too small for a single pod never lets a job run. */
function quotaFinding(error: QuotaExceededError): Finding {
  const { message, remedy } = findingOf(error)
  return error.neverFits ? failed(message, remedy) : warning(message, remedy)
}

async function quotaNumbers(cluster: Cluster, namespace: string, signal: AbortSignal): Promise<string> {
  const quotas = await cluster.getResourceQuotas(namespace, { signal }).catch(() => null)
  if (!quotas) return 'One pod more fits; the numbers of the quotas may not be read.'
  if (quotas.length === 0) return `Namespace ${namespace} has no quota.`
  const numbers = quotas.map(({ metadata, status }) => {
    const used = Object.entries(status?.hard ?? {}).map(
      ([resource, hard]) => `${resource} ${status?.used?.[resource] ?? '0'} of ${hard}`,
    )
    return `${metadata.name}: ${used.join(', ')}`
  })
  return `One pod more fits. In use of ${numbers.join('; ')}.`
}

/** Makes the pod, runs a command in it, and deletes it: image, exec, deletion. Whatever comes, it is deleted. */
export async function checkRealPod(
  deps: Pick<ActivityDeps, 'gates'>,
  list: Checklist,
  place: PodToTest,
): Promise<void> {
  let pod: Pod | undefined
  try {
    const found = await list.check('image', async () => {
      pod = await createAnew(deps, place)
      return await checkStart(place, pod)
    })
    if (!found) return
    await list.check('exec', () => checkExec(place))
    const made = found
    await list.check('deletion', async () => {
      await remove(deps, place, made)
      pod = undefined
      return passed('The pod was deleted and is gone.')
    })
  } finally {
    if (pod) await remove(deps, place, pod).catch(() => {})
  }
}

/** A try before this one, whose worker died, may have left its pod. */
async function createAnew(deps: Pick<ActivityDeps, 'gates'>, place: PodToTest): Promise<Pod> {
  const { cluster, manifest, signal } = place
  const { namespace, name } = manifest.metadata
  try {
    return await cluster.createPod(namespace, manifest, { signal })
  } catch (error) {
    if (!(error instanceof AlreadyExistsError)) throw error
    await remove(deps, place, await cluster.getPod(namespace, name, { signal }))
    return await cluster.createPod(namespace, manifest, { signal })
  }
}

async function checkStart({ cluster, signal }: PodToTest, pod: Pod): Promise<Finding & { found?: Pod }> {
  const { name, uid, namespace = '' } = pod.metadata
  const fateOf = followFate(pullMs)
  const begun = performance.now()
  for (let note = ''; ; ) {
    const seen = await cluster.getPod(namespace, name, { signal }).catch((error: unknown) => {
      if (error instanceof NotFoundError) throw new PodEndedError('gone', name, pod)
      throw error
    })
    if (seen.metadata.uid !== uid) throw new PodEndedError('replaced', name, pod)
    const fate = fateOf(seen, Date.now())
    const seconds = ((performance.now() - begun) / 1000).toFixed(1)
    if (fate.state === 'running')
      return { ...passed(`The pod ran after ${seconds} s on node ${seen.spec.nodeName ?? ''}.`), found: pod }
    if (fate.state === 'failed-to-start') throw new PodNotStartingError(fate.cause)
    if (fate.state === 'ended') throw new PodEndedError('terminal', name, seen)
    note = fate.note || note
    if (performance.now() - begun > startMs) {
      return failed(
        `The pod did not start within ${startMs / 1000} s${note ? `: ${note}` : ''}.`,
        'Look at what it waits for: free or add nodes, lower the requests of the pod spec override, or make what it mounts.',
      )
    }
    await sleep(lookEveryMs, undefined, { signal })
  }
}

async function checkExec({ cluster, manifest, signal }: PodToTest): Promise<Finding> {
  const { namespace, name } = manifest.metadata
  const limit = AbortSignal.any([signal, AbortSignal.timeout(execMs)])
  for (;;) {
    try {
      const words = Buffer.from(echo)
      const session = await cluster.exec(namespace, name, 'worker', ['cat'], { stdin: once(words), signal: limit })
      const chunks: Buffer[] = []
      for await (const chunk of session.stdout) {
        chunks.push(chunk)
        if (Buffer.concat(chunks).length >= words.length) break
      }
      session.abort()
      session.result.catch(() => {})
      if (Buffer.concat(chunks).equals(words)) return passed('A command ran in the pod, and bytes went there and back.')
      return failed('The command in the pod did not answer with what it was sent.', execRemedy)
    } catch (error) {
      signal.throwIfAborted()
      if (limit.aborted) return failed(`No answer from a command in the pod within ${execMs / 1000} s.`, execRemedy)
      // The kubelet tells of a container a moment before it lets anybody in.
      if (!(error instanceof ContainerNotRunningError)) throw error
      await sleep(lookEveryMs, undefined, { signal: limit }).catch(() => {})
    }
  }
}

const execRemedy =
  'Check that what lies between the workers and the API server, such as a proxy, lets WebSockets through, and that the API server reaches the kubelet of the node.'

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}

async function remove(deps: Pick<ActivityDeps, 'gates'>, { cluster, signal }: PodToTest, pod: Pod): Promise<void> {
  const { name, uid, namespace = '' } = pod.metadata
  await removePod(deps, cluster, { namespace, name, uid }, AbortSignal.any([signal, AbortSignal.timeout(deletionMs)]))
}
