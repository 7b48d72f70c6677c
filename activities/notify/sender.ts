/** What is to be delivered, with its secrets in the clear. */
export interface Outgoing {
  configuration: Record<string, unknown>
  /** One line. */
  subject: string
  /** A text; for some types a JSON document. */
  body: string
}

/** Delivers to every recipient of one configuration, and says how many messages that were. Throws DeliveryError. */
export type Sender = (outgoing: Outgoing, signal: AbortSignal) => Promise<number>

/** A target did not take a message. `permanent`: it never will, so nobody tries again. The message is for the notification's row. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError'
  readonly permanent: boolean

  constructor(message: string, permanent = false) {
    super(message)
    this.permanent = permanent
  }
}

/** A text of the configuration; '' where there is none. */
export function textOf(configuration: Record<string, unknown>, field: string): string {
  const value = configuration[field]
  return value === undefined || value === null ? '' : String(value)
}

/** A list of texts of the configuration. */
export function textsOf(configuration: Record<string, unknown>, field: string): string[] {
  const value = configuration[field]
  return Array.isArray(value) ? value.map(String) : []
}
