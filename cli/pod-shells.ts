/** Shells in pods, for the API: it knows no cluster, so that it stays a process that only needs a database. */
import { randomUUID } from 'node:crypto'
import { type PodShells, ShellRefusedError } from '../api/shell/pod-shells.ts'
import { ByteQueue } from '../kubernetes/byte-queue.ts'
import type { Cluster } from '../kubernetes/cluster.ts'
import { KubernetesError, NotFoundError } from '../kubernetes/errors.ts'
import type { ExecOptions } from '../kubernetes/exec.ts'
import { ContainerNotRunningError } from '../kubernetes/exec-errors.ts'
import { workerStatus } from '../kubernetes/pod-state.ts'
import { ClusterPool } from '../worker/clusters.ts'
import type { Composition } from './compose.ts'
import { homeCluster } from './home-cluster.ts'

/** What is typed and not taken yet. */
const highWaterBytes = 64 * 1024
const lowWaterBytes = 16 * 1024

/**
 * Runs the command with a mark that everything it starts inherits, once the terminal has its size: container runtimes tell it only after they have started
 * what runs in it, and who asks before is told 0 0. An image without stty, or a size that does not come within seconds, keeps nobody waiting.
 */
const beginScript = `export MAYFLY_SHELL="$0"; n=0
while [ $n -lt 100 ] && [ "$(stty size 2>/dev/null)" = '0 0' ]; do n=$((n+1)); sleep 0.02; done
exec "$@"`
/**
 * Ends whatever has the mark. A terminal whose client has gone is not hung up by all container runtimes: what ran in it would go on for as long as its
 * pod.
 */
const hangUpScript = `for signal in HUP KILL; do
  for process in /proc/[0-9]*; do
    tr '\\0' '\\n' <$process/environ 2>/dev/null | grep -qx "MAYFLY_SHELL=$0" && kill -$signal \${process#/proc/}
  done
  sleep 1
done`
const hangUpMs = 15_000

/** Connects to nothing before somebody asks for a shell. */
export function podShells({ settings, env, store, keyring }: Composition): PodShells {
  const { defaultNamespace, shellIdleSeconds, shellsPerJob } = settings
  const clusters = new ClusterPool({ store, keyring, home: homeCluster(settings, env), defaultNamespace })
  return {
    idleSeconds: shellIdleSeconds,
    mostPerJob: shellsPerJob,
    async open(attempt, { command, size, onInput }) {
      try {
        const cluster = await clusters.forAttempt(attempt)
        if (!cluster) throw new ShellRefusedError('cluster', 'The cluster of this job can no longer be reached.')
        await mustRun(cluster, attempt)
        const typed = new ByteQueue(highWaterBytes, lowWaterBytes, {
          full: () => onInput('full'),
          ready: () => onInput('ready'),
        })
        const mark = randomUUID()
        const run = (words: string[], options: ExecOptions) =>
          cluster.exec(attempt.namespace, attempt.podName, 'worker', words, options)
        const session = await run(['sh', '-c', beginScript, mark, ...command], { stdin: typed, terminal: size })
        let over = false
        const ended = session.result.then(({ exitCode }) => {
          over = true
          return exitCode
        })
        // Whoever is not there any more need not be told.
        ended.catch(() => {})
        return {
          output: session.stdout,
          ended,
          write: (bytes) => typed.push(Buffer.from(bytes)),
          resize: (to) => session.resize(to),
          close: () => {
            typed.end()
            session.abort()
            if (over) return
            over = true
            // Where the pod has gone, or is out of reach, there is nothing more to be done.
            run(['sh', '-c', hangUpScript, mark], { signal: AbortSignal.timeout(hangUpMs) })
              .then((hangUp) => hangUp.result)
              .catch(() => {})
          },
        }
      } catch (error) {
        if (!(error instanceof KubernetesError)) throw error
        const unready = error instanceof NotFoundError || error instanceof ContainerNotRunningError
        throw new ShellRefusedError(unready ? 'unready' : 'cluster', error.message)
      }
    },
  }
}

/** Another pod may have the name by now, and one that waits for its image has nothing to look into. */
async function mustRun(
  cluster: Cluster,
  { namespace, podName, podUid }: { namespace: string; podName: string; podUid: string | null },
): Promise<void> {
  const pod = await cluster.getPod(namespace, podName)
  if (pod.metadata.uid !== podUid || pod.metadata.deletionTimestamp)
    throw new ShellRefusedError('unready', `Pod ${podName} is gone.`)
  if (workerStatus(pod)?.state?.running) return
  const phase = pod.status?.phase ?? 'Unknown'
  throw new ShellRefusedError('unready', `Pod ${podName} does not run (${phase}): a shell needs one that does.`)
}
