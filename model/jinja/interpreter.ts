import { TemplateError } from './errors.ts'
import { filters } from './filters.ts'
import { Interpreter, type Node, type Scope, type Value } from './library.ts'
import { formatted, repeated } from './python.ts'
import { Budget, longestText, mostElements, printed, unwrap, wrap } from './values.ts'

/** What one step is worth, in characters; an ordinary message takes some dozens of steps. */
const stepCost = 800

/**
 * Runs a parsed template as AWX's sandbox does: over plain data only, without code of the template's own ever being compiled, and with an end to
 * what it may cost. What Python prints and Jinja's filters do is ours; the language itself is the library's. `strict`: what is not there is an
 * error, unless `default` or a test asks for it; else it is empty.
 */
export class SandboxedInterpreter extends Interpreter {
  readonly #strict: boolean
  readonly #budget: Budget
  readonly #longest: number
  #asking = 0

  /** `given`: length of the longest text among the variables, which a template may at least print. */
  constructor(scope: Scope, strict: boolean, given: number) {
    super(scope)
    this.#strict = strict
    this.#longest = longestText + given
    this.#budget = new Budget(40_000_000 + 20 * given)
  }

  override evaluate(node: Node | undefined, scope: Scope): Value {
    this.#budget.spend(stepCost)
    const value = node ? this.#evaluate(node, scope) : super.evaluate(node, scope)
    const text = typeof value.value === 'string'
    const size = text || Array.isArray(value.value) ? (value.value as string | unknown[]).length : 0
    if (size > (text ? this.#longest : mostElements)) throw new TemplateError('limit', 'a value is too large')
    this.#budget.spend(size)
    return value
  }

  #evaluate(node: Node, scope: Scope): Value {
    switch (node.type) {
      case 'Done':
        return node.value as Value
      case 'Output':
        return this.#output(node, scope)
      case 'Identifier':
        return this.#found(this.#plainly(node, scope), String(node.value))
      case 'MemberExpression':
        return this.#member(node, scope)
      case 'CallExpression':
        return this.#call(node, scope)
      case 'FilterExpression':
        return this.#filter(node, this.#operand(node, scope), scope)
      case 'FilterStatement':
        return this.#filter(node, this.#plainly({ type: 'Program', body: node.body }, scope), scope)
      case 'TestExpression':
        return this.#test(node, scope)
      case 'BinaryExpression':
        return this.#binary(node, scope)
      default:
        return this.#plainly(node, scope)
    }
  }

  #plainly(node: Node, scope: Scope): Value {
    return super.evaluate(node, scope)
  }

  #run(node: unknown, scope: Scope): Value {
    return this.evaluate(node as Node, scope)
  }

  #plain(value: Value): unknown {
    return unwrap(value, this.#budget)
  }

  /** A fraction stays one when it has none: 2.0 is not 2. */
  #printed(value: Value): string {
    if (value.type === 'FunctionValue') return ''
    const plain = this.#plain(value)
    return value.type === 'FloatValue' && Number.isInteger(plain) ? `${plain}.0` : printed(plain)
  }

  #output(node: Node, scope: Scope): Value {
    const value = this.#run(node.expression, scope)
    return wrap(this.#printed(value))
  }

  #found(value: Value, name: string): Value {
    if (value.type === 'UndefinedValue' && this.#strict && this.#asking === 0)
      throw new TemplateError('undefined', name)
    return value
  }

  #member(node: Node, scope: Scope): Value {
    const property = node.property as Node
    const name = property.type === 'Identifier' || property.type === 'StringLiteral' ? String(property.value) : ''
    if (/^_|^(constructor|prototype)$/.test(name))
      throw new TemplateError('security', `access to attribute '${name}' is unsafe.`)
    return this.#found(this.#plainly(node, scope), name)
  }

  /** A text's own `replace` is the filter, which knows how long its result will be. */
  #call(node: Node, scope: Scope): Value {
    const callee = node.callee as Node
    if (callee.type !== 'MemberExpression' || (callee.property as Node).value !== 'replace')
      return this.#plainly(node, scope)
    const filter = { type: 'CallExpression', callee: { type: 'Identifier', value: 'replace' }, args: node.args }
    return this.#filter({ type: 'FilterExpression', filter }, this.#run(callee.object, scope), scope)
  }

  /** `default` asks whether something is there, so what is not is no error. */
  #operand(node: Node, scope: Scope): Value {
    const name = filterName(node)
    if (name !== 'default' && name !== 'd') return this.#run(node.operand, scope)
    return this.#ask(() => this.#run(node.operand, scope))
  }

  #ask(evaluate: () => Value): Value {
    this.#asking += 1
    try {
      return evaluate()
    } finally {
      this.#asking -= 1
    }
  }

  #test(node: Node, scope: Scope): Value {
    const name = String((node.test as Node).value)
    return name === 'defined' || name === 'undefined'
      ? this.#ask(() => this.#plainly(node, scope))
      : this.#plainly(node, scope)
  }

  #filter(node: Node, operand: Value, scope: Scope): Value {
    const name = filterName(node)
    const filter = filters[name]
    if (!filter) throw new TemplateError('syntax', `No filter named '${name}'.`)
    const called = node.filter as Node
    const args: unknown[] = []
    const named: Record<string, unknown> = Object.create(null)
    for (const argument of called.type === 'CallExpression' ? (called.args as Node[]) : []) {
      if (argument.type === 'KeywordArgumentExpression')
        named[String((argument.key as Node).value)] = this.#plain(this.#run(argument.value, scope))
      else args.push(this.#plain(this.#run(argument, scope)))
    }
    const result = filter(this.#plain(operand), args, named)
    const fraction = (name === 'round' || name === 'float') && Number.isInteger(result)
    return fraction ? Object.assign(wrap(0.5), { value: result }) : wrap(result)
  }

  #binary(node: Node, scope: Scope): Value {
    const operator = String((node.operator as Node).value)
    if (operator === 'and' || operator === 'or') return this.#plainly(node, scope)
    const [left, right] = [this.#run(node.left, scope), this.#run(node.right, scope)]
    if (operator === '~') return wrap(this.#printed(left) + this.#printed(right))
    const texts = [left, right].filter((side) => side.type === 'StringValue').length
    if (operator === '*' && texts === 1) {
      const [text, times] = left.type === 'StringValue' ? [left, right] : [right, left]
      if (typeof times.value === 'number') return wrap(repeated(String(text.value), times.value))
    }
    if (operator === '%' && left.type === 'StringValue') {
      const given = this.#plain(right)
      return wrap(formatted(String(left.value), Array.isArray(given) ? given : [given]))
    }
    if (operator === '+' && texts === 1)
      throw new TemplateError('value', 'a text can only be added to a text; ~ joins anything')
    if (texts === 2 && /^[<>]=?$/.test(operator))
      return wrap(ordered(operator, String(left.value), String(right.value)))
    const done = { ...node, left: { type: 'Done', value: left }, right: { type: 'Done', value: right } }
    return this.#plainly(done, scope)
  }
}

function filterName(node: Node): string {
  const filter = node.filter as Node
  return String(filter.type === 'CallExpression' ? (filter.callee as Node).value : filter.value)
}

function ordered(operator: string, left: string, right: string): boolean {
  if (operator.startsWith('<')) return left < right || (operator === '<=' && left === right)
  return left > right || (operator === '>=' && left === right)
}
