/** The scripts of kubernetes/scripts.ts as a simulated pod obeys them: what each means, without a shell. */
import {
  acknowledgeScript,
  endMark,
  readerScript,
  signalScript,
  uploadAnswer,
  uploadRetry,
  uploadScript,
} from '../../kubernetes/scripts.ts'
import type { ExecCall, ExecEnd } from './exec-server.ts'
import type { SimulatedPod } from './simulated-pod.ts'

type Script = (pod: SimulatedPod, call: ExecCall, word: number, begun: () => void) => Promise<ExecEnd>

const scripts = new Map<string, Script>([
  [uploadScript, upload],
  [readerScript, read],
  [acknowledgeScript, acknowledge],
  [signalScript, signalRunner],
])

/** Runs a command in a pod: `sh -c SCRIPT mayfly WORD`; `begun` is called when it starts the play. A script that is not known is not in the image. */
export async function runScript(pod: SimulatedPod, call: ExecCall, begun: () => void = () => {}): Promise<ExecEnd> {
  if (pod.state !== 'running') return { refused: `container not found ("${call.container}")` }
  const [shell, flag, text = '', , word = '0'] = call.command
  const script = shell === 'sh' && flag === '-c' ? scripts.get(text) : undefined
  if (!script) {
    call.stderr('sh: not found\n')
    return 127
  }
  return await script(pod, call, Number(word), begun)
}

async function upload(pod: SimulatedPod, call: ExecCall, size: number, begun: () => void): Promise<ExecEnd> {
  const already = () => {
    call.stdout(`${uploadAnswer.started}\n`)
    return 0
  }
  if (pod.committed) return already()
  call.stdout(`${uploadAnswer.ready}\n`)
  let left = size
  for await (const chunk of call.stdin) {
    left -= chunk.length
    if (left <= 0) break
  }
  if (left > 0) return uploadRetry.cutOff
  if (pod.committed) return already()
  pod.committed = true
  begun()
  pod.startRunner()
  call.stdout(`${uploadAnswer.delivered}\n`)
  return 0
}

async function read(pod: SimulatedPod, call: ExecCall, offset: number): Promise<ExecEnd> {
  let at = offset
  for (;;) {
    const step = await pod.until(() => {
      if (pod.state === 'ended' || pod.spool.length > at) return true
      return pod.exitCode !== undefined ? true : undefined
    }, call.signal)
    if (step === null) return 0
    if (pod.spool.length > at) {
      call.stdout(pod.spool.subarray(at))
      at = pod.spool.length
    } else if (pod.exitCode !== undefined) break
    else if (pod.state === 'ended') return 137
  }
  call.stderr(`${endMark} ${pod.spool.length}\n`)
  return 0
}

const acknowledgeMs = 10_000

async function acknowledge(pod: SimulatedPod, call: ExecCall, stored: number): Promise<ExecEnd> {
  const code = await pod.until(() => (pod.state === 'ended' ? -1 : pod.exitCode), call.signal, acknowledgeMs)
  if (code === -1) return 137
  if (code === null) {
    call.stdout('running\n')
    return 0
  }
  const whole = pod.spool.length === stored
  call.stdout(`${whole ? 'acknowledged' : 'incomplete'} ${pod.spool.length} ${code}\n\n${endMark}\n`)
  if (whole) setImmediate(() => pod.letGo())
  return 0
}

async function signalRunner(pod: SimulatedPod, call: ExecCall): Promise<ExecEnd> {
  if (!pod.committed) {
    pod.committed = true
    call.stdout('not-started\n')
  } else if (!pod.runnerStarted) call.stdout('not-started\n')
  else call.stdout(pod.stopRunner() ? 'signalled\n' : 'ended\n')
  return 0
}
