import type { RequestContext } from './context.ts'
import { toApiError } from './error-response.ts'

/** What is asked of the request that a body answers. */
type Asked = Pick<RequestContext, 'deps' | 'cutConnection'> & { request: Pick<Request, 'method'> }

/** Nothing is read ahead: a client that reads slowly makes nothing pile up. */
const readWhenAsked = { highWaterMark: 0 }

/**
 * A body that is made piece by piece while it is sent; null for HEAD, which reads nothing at all. Resolves when there is a first piece, and
 * rejects when that fails: the answer is a refusal then. When a later one fails the connection is cut, because a body that just ended would
 * pass for the whole one. `onCancel` is called when the client hangs up, and the pieces are returned.
 */
export async function bodyStream(
  pieces: AsyncGenerator<Uint8Array, void, undefined>,
  { deps, cutConnection, request }: Asked,
  onCancel: () => void = () => {},
): Promise<ReadableStream<Uint8Array> | null> {
  if (request.method === 'HEAD') return null
  let first: IteratorResult<Uint8Array, void> | undefined = await pieces.next()
  const next = async () => {
    const piece = first ?? (await pieces.next())
    first = undefined
    return piece
  }
  let hungUp = false
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { value, done } = await next()
          // Nobody takes it any more, and the controller nothing.
          if (hungUp) return
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          if (hungUp) return
          // Logs what nobody foresaw; there is no answer any more to put it into.
          const { status } = toApiError(error, deps.log)
          deps.log.warn({ status }, 'an answer was cut off')
          // Passed on, it would be printed by the server, which may also send its text as the last bytes of the body.
          if (!cutConnection) throw error
          cutConnection()
        }
      },
      async cancel() {
        hungUp = true
        onCancel()
        await pieces.return()
      },
    },
    readWhenAsked,
  )
}
