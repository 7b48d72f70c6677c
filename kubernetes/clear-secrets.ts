import { pause } from './pause.ts'
import { type PodAccess, PodTalk, type SpooledPod } from './pod-talk.ts'
import { clearSecretsScript } from './scripts.ts'

const tryMs = 200

/**
 * Takes the secrets of a job that has ended out of its pod, and its spool with them, so that who looks into the pod finds none. Repeatable. Throws what
 * makes that impossible, such as PodEndedError, and the signal's reason.
 */
export async function clearSecrets(
  cluster: PodAccess,
  pod: SpooledPod,
  { isPlay }: { isPlay: boolean },
  signal: AbortSignal,
): Promise<void> {
  const talk = new PodTalk(cluster, pod, signal)
  for (;;) {
    try {
      const answer = await talk.readAll(await talk.exec(clearSecretsScript, [isPlay ? 'play' : 'container']))
      if (answer.includes('cleared')) return
    } catch (error) {
      await talk.survive(error)
    }
    await pause(tryMs, signal)
  }
}
