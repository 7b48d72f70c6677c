import { type Document, LineCounter, parseDocument, type ScalarTag, type Tags } from 'yaml'
import { dataBeyondLimits, yamlBeyondLimits } from './data-limits.ts'

/** What a YAML text says, or why it says nothing; `place` counts from 1 and is absent where the whole text is meant. */
export type ParsedYaml =
  | { ok: true; value: unknown }
  | { ok: false; message: string; place?: { line: number; column: number } }

export interface YamlOptions {
  /** Longest text in characters that is read. */
  longest?: number
  /** Refuse equal keys of a mapping, for short texts: looking for them takes the square of their number. Else the last one counts. */
  uniqueKeys?: boolean
}

/** A parser's message may quote the whole text. */
const longestMessage = 300

/**
 * Reads YAML (and JSON) as PyYAML does, which AWX and Ansible use. It is narrower than YAML 1.1: `y` and `n` are texts, and so is `12e7`,
 * which has no point. Timestamps stay texts too: nothing else survives the way through JSON.
 */
export function parseYaml(text: string, { longest, uniqueKeys = false }: YamlOptions = {}): ParsedYaml {
  const key = `${uniqueKeys} ${text}`
  let document = text.length > (longest ?? longestKept) ? undefined : recent.get(key)
  if (!document) {
    const beyond = yamlBeyondLimits(text, longest)
    if (beyond !== undefined) return { ok: false, message: beyond }
    const lines = new LineCounter()
    document = parseDocument(text, {
      version: '1.1',
      customTags: (tags: Tags): Tags => tags.filter((tag) => !isTimestamp(tag)).map(narrowed),
      uniqueKeys,
      // Pretty ones are made for every error there is, each with a copy of its line.
      prettyErrors: false,
      lineCounter: lines,
    })
    const [error] = document.errors
    if (error) {
      const { line, col: column } = lines.linePos(error.pos[0])
      return { ok: false, message: error.message.slice(0, longestMessage), place: { line, column } }
    }
    recent.add(key, document)
  }
  try {
    // Made anew each time, so that whoever changes it changes nobody else's.
    const value: unknown = document.toJS({ maxAliasCount: 100 })
    const tooMuch = dataBeyondLimits(value)
    return tooMuch === undefined ? { ok: true, value } : { ok: false, message: tooMuch }
  } catch (cause) {
    return { ok: false, message: (cause instanceof Error ? cause.message : String(cause)).slice(0, longestMessage) }
  }
}

/** Documents of short texts: pods of groups and variables of hosts are read for every job anew, and parsing is nearly all of what that takes. */
class RecentDocuments {
  readonly #documents = new Map<string, Document.Parsed>()
  #characters = 0

  get(key: string): Document.Parsed | undefined {
    return this.#documents.get(key)
  }

  add(key: string, document: Document.Parsed): void {
    if (key.length > longestKept || this.#documents.has(key)) return
    this.#documents.set(key, document)
    this.#characters += key.length
    for (const oldest of this.#documents.keys()) {
      if (this.#characters <= charactersKept) return
      this.#documents.delete(oldest)
      this.#characters -= oldest.length
    }
  }
}

/** A document takes some ten times the memory of its text. */
const longestKept = 8 * 1024
const charactersKept = 128 * 1024
const recent = new RecentDocuments()

function isTimestamp(tag: Tags[number]): boolean {
  return typeof tag !== 'string' && tag.tag === 'tag:yaml.org,2002:timestamp'
}

function narrowed(tag: Tags[number]): Tags[number] {
  if (!isScalarTag(tag)) return tag
  if (tag.tag === 'tag:yaml.org,2002:bool') {
    const test = tag.test?.test('true')
      ? /^(?:[Yy]es|YES|[Tt]rue|TRUE|[Oo]n|ON)$/
      : /^(?:[Nn]o|NO|[Ff]alse|FALSE|[Oo]ff|OFF)$/
    return { ...tag, test }
  }
  if (tag.tag === 'tag:yaml.org,2002:float' && tag.format === 'EXP') {
    return { ...tag, test: /^[-+]?(?:[0-9][0-9_]*)?\.[0-9_]*[eE][-+][0-9]+$/ }
  }
  return tag
}

const isScalarTag = (tag: Tags[number]): tag is ScalarTag => typeof tag === 'object' && 'test' in tag
