import * as jinja from '@huggingface/jinja'

/** A value of a running template, as the interpreter holds it; `type` says what `value` is (`StringValue`, `ArrayValue`, …). */
export interface Value {
  type: string
  value: unknown
}

/** A node of a parsed template; which further keys there are depends on `type`. */
export interface Node {
  type: string
  [key: string]: unknown
}

/** The variables of a template. */
export interface Scope {
  set(name: string, plain: unknown): Value
}

interface Library {
  Environment: new () => Scope
  Interpreter: new (
    scope: Scope,
  ) => {
    run(program: Node): Value
    evaluate(node: Node | undefined, scope: Scope): Value
  }
  tokenize(template: string): unknown[]
  parse(tokens: unknown[]): Node
}

/** The parts of the library that are used; its own declarations cannot be resolved by Node's rules for modules. */
export const { Environment, Interpreter, tokenize, parse } = jinja as unknown as Library
