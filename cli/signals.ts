/** A signal that asks this process to end. */
export type EndSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** How the end of this process is asked for. */
export interface EndOfProcess {
  /** Aborts with the first signal: whoever waits for something gives up. */
  readonly signal: AbortSignal
  /** Resolves with the first signal. */
  readonly asked: Promise<EndSignal>
}

let installed: EndOfProcess | undefined

/** From now on the first signal asks for an orderly end and the second one ends the process at once. */
export function endOfProcess(): EndOfProcess {
  installed ??= install()
  return installed
}

function install(): EndOfProcess {
  const controller = new AbortController()
  const asked = new Promise<EndSignal>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        if (controller.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143)
        controller.abort(new EndedError(name))
        resolve(name)
      })
    }
  })
  return { signal: controller.signal, asked }
}

/** The process was asked to end while it waited for something. */
export class EndedError extends Error {
  override name = 'EndedError'
  constructor(signal: EndSignal) {
    super(`ended by ${signal}`)
  }
}
