/** A command cannot do its work; the message says why and `remedy` what to do. Shown without a stack. */
export class CommandError extends Error {
  override name = 'CommandError'
  readonly remedy: string | undefined
  constructor(message: string, remedy?: string) {
    super(message)
    this.remedy = remedy
  }
}
