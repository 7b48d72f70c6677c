import { isMapping } from './variables.ts'

/**
 * What a container job runs: a command in the image of its execution environment, instead of a playbook. Texts may hold Jinja expressions over the
 * job's variables.
 */
export interface ContainerSpec {
  /** The program and its arguments; no shell is in between. */
  command: string[]
  /** Environment variables. */
  env: Record<string, string>
  /** Text files to write before it starts, by absolute path. */
  files: Record<string, string>
  /** Files that are kept when it has ended, by absolute path. */
  artifacts: string[]
  /** Where it starts; '': where the image says. */
  working_directory: string
}

/** A spec, or what is wrong with it; messages name the place and the remedy. */
export type ReadContainerSpec = { ok: true; spec: ContainerSpec } | { ok: false; message: string }

/** Longest spec as JSON, in characters: it travels in the payload and is shown with every job. */
const longestSpec = 256 * 1024
const keys = ['command', 'env', 'files', 'artifacts', 'working_directory']
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Reads what a user wrote as a template's `container`. */
export function readContainerSpec(value: unknown): ReadContainerSpec {
  const wrong = (message: string): ReadContainerSpec => ({ ok: false, message })
  if (!isMapping(value)) return wrong('Give an object such as {"command": ["make", "test"]}.')
  const unknown = Object.keys(value).find((key) => !keys.includes(key))
  if (unknown !== undefined) return wrong(`There is no key "${unknown}": use ${keys.join(', ')}.`)
  const { command, env = {}, files = {}, artifacts = [], working_directory = '' } = value
  if (!isTexts(command) || command.length === 0 || command[0] === '') {
    return wrong('command: give the program and its arguments as a list of texts.')
  }
  if (!isMapping(env) || !isTexts(Object.values(env))) return wrong('env: give an object of texts.')
  const badName = Object.keys(env).find((name) => !variableName.test(name))
  if (badName !== undefined) return wrong(`env: "${badName}" is no name of an environment variable.`)
  if (!isMapping(files) || !isTexts(Object.values(files))) return wrong('files: give an object of texts by path.')
  if (!isTexts(artifacts)) return wrong('artifacts: give a list of paths.')
  if (typeof working_directory !== 'string') return wrong('working_directory: give a path.')
  const paths = [...Object.keys(files), ...artifacts, ...(working_directory === '' ? [] : [working_directory])]
  const badPath = paths.find((path) => !isPlainPath(path))
  if (badPath !== undefined)
    return wrong(`"${badPath}" is no absolute path of a file: begin it with "/", without ".." and line ends.`)
  const spec = { command, env, files, artifacts, working_directory } as ContainerSpec
  const text = JSON.stringify(spec)
  if (text.length > longestSpec)
    return wrong(
      `It has ${text.length} characters; at most ${longestSpec} are allowed: put large files into the image.`,
    )
  if (text.includes('\\u0000')) return wrong('Null characters are not allowed.')
  return { ok: true, spec }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function isPlainPath(path: string): boolean {
  return /^\/[^\n\r]*[^/\n\r]$/.test(path) && !path.split('/').includes('..')
}
