import { DeliveryError, type Sender, textOf, textsOf } from './sender.ts'

/** Sends one letter to all recipients. Encryption is as the configuration says: from the start, by STARTTLS, or none. */
export const sendEmail: Sender = async ({ configuration, subject, body }, signal) => {
  const [user, pass] = [textOf(configuration, 'username'), textOf(configuration, 'password')]
  const [secure, startTls] = [configuration.use_ssl === true, configuration.use_tls === true]
  const patienceMs = Number(configuration.timeout ?? 30) * 1000
  // Loaded when first needed, like all large libraries that most workers never use: an idle one stays small.
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    host: textOf(configuration, 'host'),
    port: Number(configuration.port),
    secure,
    requireTLS: startTls,
    ignoreTLS: !secure && !startTls,
    ...(user && pass ? { auth: { user, pass } } : {}),
    connectionTimeout: patienceMs,
    greetingTimeout: patienceMs,
    socketTimeout: patienceMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const letter = {
    from: textOf(configuration, 'sender'),
    to: textsOf(configuration, 'recipients'),
    subject,
    text: body,
  }
  try {
    await untilAborted(transport.sendMail(letter), signal)
    return 1
  } catch (error) {
    if (signal.aborted) throw error
    throw asDeliveryError(error)
  } finally {
    transport.close()
  }
}

function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    work.then(resolve, reject)
  })
}

/** A server that answers 5xx, or refuses the password, will do so again. */
function asDeliveryError(error: unknown): DeliveryError {
  const { responseCode, code } = error as { responseCode?: number; code?: string }
  const permanent =
    responseCode === undefined ? ['EAUTH', 'EENVELOPE', 'EMESSAGE'].includes(code ?? '') : responseCode >= 500
  const message = error instanceof Error ? error.message : String(error)
  return new DeliveryError(`Error sending notification email: ${message}`, permanent)
}
