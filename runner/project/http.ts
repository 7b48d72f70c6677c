import type { EnvHttpProxyAgent } from 'undici'

/** Loaded when first needed: a worker without such projects stays small. */
const loadUndici = () => import('undici')

/** Reaches servers, through the proxy of the environment if it names one, that are never silent for longer than the patience. Destroy it, do not close it. */
export async function impatientAgent(patienceMs: number): Promise<EnvHttpProxyAgent> {
  const { EnvHttpProxyAgent } = await loadUndici()
  return new EnvHttpProxyAgent({
    connect: { timeout: patienceMs },
    headersTimeout: patienceMs,
    bodyTimeout: patienceMs,
  })
}

/** Codes of undici for a server that says nothing. */
const silences = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

/** Why a request failed: the innermost cause has the words that help. */
export function failureReason(error: unknown, patienceMs: number): string {
  let inner = error
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause
  if (!(inner instanceof Error)) return String(inner)
  if ('code' in inner && typeof inner.code === 'string' && silences.has(inner.code)) {
    return `the server was silent for ${patienceMs / 1000} seconds.`
  }
  return inner.message || String((inner as NodeJS.ErrnoException).code ?? inner.name)
}

/** Why a server gives no answer of any kind; null when it gives one. */
export async function whyUnreachable(url: string, patienceMs: number, signal: AbortSignal): Promise<string | null> {
  const { fetch } = await loadUndici()
  const agent = await impatientAgent(patienceMs)
  try {
    await fetch(url, { dispatcher: agent, signal, redirect: 'manual' })
    return null
  } catch (error) {
    signal.throwIfAborted()
    return `${url} could not be reached: ${failureReason(error, patienceMs)}`
  } finally {
    await agent.destroy()
  }
}
