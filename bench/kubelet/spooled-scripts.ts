/** The scripts of kubernetes/scripts.ts as a simulated pod obeys them: what each means, without a shell. */
import {
  acknowledgeScript,
  deliveryAnswer,
  deliveryRetry,
  endMark,
  outputScript,
  proofAnswer,
  readerScript,
  sessionScript,
  signalScript,
} from '../../kubernetes/scripts.ts'
import type { ExecCall, ExecEnd } from './exec-server.ts'
import type { SimulatedPod } from './simulated-pod.ts'

type Script = (pod: SimulatedPod, call: ExecCall, word: number, begun: () => void) => Promise<ExecEnd>

const scripts = new Map<string, Script>([
  [sessionScript, converse],
  [readerScript, read],
  [acknowledgeScript, acknowledge],
  [signalScript, signalRunner],
  [outputScript, tellOutput],
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

async function converse(pod: SimulatedPod, call: ExecCall, size: number, begun: () => void): Promise<ExecEnd> {
  const already = () => {
    call.stdout(`${deliveryAnswer.started}\n`)
    return 0
  }
  if (pod.committed) return already()
  call.stdout(`${deliveryAnswer.ready}\n`)
  const stdin = call.stdin[Symbol.asyncIterator]()
  for (let left = size; left > 0; ) {
    const { done, value } = await stdin.next()
    if (done) return deliveryRetry.cutOff
    left -= value.length
  }
  if (pod.committed) return already()
  pod.committed = true
  begun()
  pod.startRunner()
  call.stdout(`${deliveryAnswer.delivered}\n`)
  const over = new AbortController()
  const signal = AbortSignal.any([call.signal, over.signal])
  const reading = handOut(pod, call, 0, signal)
  const killed = async () => {
    await pod.until(() => pod.state === 'ended' || undefined, signal)
    await reading
    return 137
  }
  const letGo = async () => {
    if (await answerLines(pod, call, stdin)) setImmediate(() => pod.letGo())
    return 0
  }
  const end = await Promise.race([letGo(), killed()])
  over.abort()
  return end
}

/** Answers each line that comes; true when one was acknowledged, false when the connection is gone. */
async function answerLines(pod: SimulatedPod, call: ExecCall, stdin: AsyncIterator<Buffer>): Promise<boolean> {
  let said = ''
  for (let step = await stdin.next(); !step.done; step = await stdin.next()) {
    const lines = (said + step.value.toString()).split('\n')
    said = lines.pop() ?? ''
    for (const line of lines) {
      const { word, answer } = await prove(pod, call, Number(line))
      call.stderr(`${answer}\n`)
      if (word === proofAnswer.acknowledged) return true
    }
  }
  return false
}

async function read(pod: SimulatedPod, call: ExecCall, offset: number): Promise<ExecEnd> {
  return await handOut(pod, call, offset, call.signal)
}

/** Says what the runner says after so many bytes, and the end mark when it has ended. */
async function handOut(pod: SimulatedPod, call: ExecCall, offset: number, signal: AbortSignal): Promise<ExecEnd> {
  let at = offset
  for (;;) {
    const step = await pod.until(() => {
      if (pod.state === 'ended' || pod.spool.length > at) return true
      return pod.exitCode !== undefined ? true : undefined
    }, signal)
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

const proofMs = 10_000

async function prove(pod: SimulatedPod, call: ExecCall, stored: number) {
  const code = await pod.until(() => (pod.state === 'ended' ? -1 : pod.exitCode), call.signal, proofMs)
  if (code === null || code === -1) return { word: proofAnswer.running, answer: proofAnswer.running, code }
  const word = pod.spool.length === stored ? proofAnswer.acknowledged : proofAnswer.incomplete
  return { word, answer: `${word} ${pod.spool.length} ${code}`, code }
}

async function acknowledge(pod: SimulatedPod, call: ExecCall, stored: number): Promise<ExecEnd> {
  const { word, answer, code } = await prove(pod, call, stored)
  if (code === -1) return 137
  call.stdout(code === null ? `${answer}\n` : `${answer}\n\n${endMark}\n`)
  if (word === proofAnswer.acknowledged) setImmediate(() => pod.letGo())
  return 0
}

async function tellOutput(pod: SimulatedPod, call: ExecCall): Promise<ExecEnd> {
  call.stdout(`${pod.spool.length} ${pod.exitCode === undefined ? '' : 'ended'}\n`)
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
