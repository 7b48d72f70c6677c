import { TemplateError } from './errors.ts'
import { SandboxedInterpreter } from './interpreter.ts'
import { Environment, type Node, parse, tokenize } from './library.ts'
import { range } from './python.ts'

/** Longest template, in characters. */
export const longestTemplate = 32_000

/** How a template is rendered. */
export interface RenderOptions {
  /** A variable that is not there is an error instead of nothing. */
  strict?: boolean
}

/**
 * Renders a Jinja template over plain data: values, lists and mappings. Nothing of a template is ever compiled or run as code, it reaches
 * nothing but the data, and what it costs is bounded. Throws TemplateError.
 */
export function renderTemplate(
  template: string,
  variables: Record<string, unknown>,
  options: RenderOptions = {},
): string {
  if (template.length > longestTemplate)
    throw new TemplateError('limit', `it is longer than ${longestTemplate} characters`)
  // The library's tokenizer takes the square of its length for it.
  if (/\s{2000}/.test(template)) throw new TemplateError('limit', 'it holds more than 2000 spaces in a row')
  const program = parseTemplate(template)
  const environment = new Environment()
  for (const [name, value] of Object.entries({ ...constants, ...variables })) environment.set(name, value)
  const interpreter = new SandboxedInterpreter(environment, options.strict ?? false, longestOf(variables))
  return told('value', () => String(interpreter.run(program).value))
}

function longestOf(variables: Record<string, unknown>): number {
  return Math.max(0, ...Object.values(variables).map((value) => (typeof value === 'string' ? value.length : 0)))
}

const constants = { true: true, false: false, none: null, True: true, False: false, None: null, range }

function parseTemplate(template: string): Node {
  const program = told('syntax', () => parse(tokenize(withRawAsText(template))))
  markOutputs(program)
  return program
}

/** The library has no `raw` blocks; a text constant says the same. */
function withRawAsText(template: string): string {
  return template.replace(/\{%-?\s*raw\s*-?%\}([\s\S]*?)\{%-?\s*endraw\s*-?%\}/g, (_, text: string) =>
    text === '' ? '' : `{{ "${text.replace(/[\\"]/g, '\\$&')}" }}`,
  )
}

const statements = new Set([
  'Set',
  'If',
  'For',
  'Macro',
  'CallStatement',
  'FilterStatement',
  'Break',
  'Continue',
  'Comment',
])

/** Marks the expressions that are printed, so that they are printed as Python prints them. */
function markOutputs(node: Node): void {
  for (const key of ['body', 'alternate', 'defaultBlock']) {
    const block = node[key]
    if (!Array.isArray(block)) continue
    node[key] = block.map((statement: Node) => {
      if (!statements.has(statement.type))
        return statement.type === 'StringLiteral' ? statement : { type: 'Output', expression: statement }
      markOutputs(statement)
      return statement
    })
  }
}

/** Errors of the library, of the language's stack and of its text lengths as ours. */
function told<Result>(kind: TemplateError['kind'], run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    if (error instanceof TemplateError) throw error
    if (error instanceof RangeError) throw new TemplateError('limit', 'it is nested too deeply or grows too long')
    throw new TemplateError(kind, error instanceof Error ? error.message : String(error))
  }
}
