import { Lexer } from 'yaml'

/** Longest YAML text that is read, in characters: the parser takes a second and hundreds of megabytes for some texts of this length. */
export const longestYaml = 256 * 1024
/** Deeper than anybody nests data, and far from where functions that call themselves run out of stack. */
export const deepestNesting = 200
/** Most values in one document; aliases make many of little text. */
export const mostValues = 1_000_000

/**
 * Why a YAML text is not even given to the parser, in its own words; undefined for one that is. The parser needs kilobytes for every level
 * of brackets and does not end where the stack does.
 */
export function yamlBeyondLimits(text: string, longest = longestYaml): string | undefined {
  if (text.length > longest) return `longer than ${longest} characters`
  let depth = 0
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme === '[' || lexeme === '{') depth += 1
    else if (lexeme === ']' || lexeme === '}') depth -= 1
    if (depth > deepestNesting) return nestsTooDeep
  }
  return undefined
}

const nestsTooDeep = `nested deeper than ${deepestNesting} levels`

/** Why parsed data is not taken on: everything that walks through it later would fail on it. Itself it goes level by level. */
export function dataBeyondLimits(data: unknown): string | undefined {
  let level: unknown[] = [data]
  let values = 0
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > deepestNesting) return nestsTooDeep
    values += level.length
    if (values > mostValues) return `more than ${mostValues} values`
    const next: unknown[] = []
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue
      // Only as many are followed as make one too many.
      for (const child of Object.values(value)) {
        if (next.length > mostValues) break
        next.push(child)
      }
    }
    level = next
  }
  return undefined
}
