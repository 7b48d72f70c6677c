/**
 * A template cannot be rendered. `kind`: its syntax is wrong, it uses a field that is not there, it reaches for something internal, it is too
 * costly, or an operation does not fit its values. The message is the parser's or AWX's; it never holds a value.
 */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
  readonly kind: 'syntax' | 'undefined' | 'security' | 'limit' | 'value'

  constructor(kind: TemplateError['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}
