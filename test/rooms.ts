import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { parseSync } from 'vite'

/** What a room may import: whole rooms, single files of others, and, where it is bounded, packages (Node's own modules count). */
interface Room {
  rooms: string[]
  files?: string[]
  packages?: string[]
}

/** The rooms of docs/design.md. Tests (`*.test.ts`) may import what they need; the rooms of `unbounded` may import everything. */
export const rooms: Record<string, Room> = {
  model: { rooms: [], packages: ['yaml', '@huggingface/jinja'] },
  store: { rooms: ['model'] },
  runner: { rooms: ['model'] },
  kubernetes: { rooms: ['model'] },
  activities: { rooms: ['kubernetes', 'runner', 'store', 'model'] },
  // Temporal runs workflows in a sandbox, from a bundle that nothing else may enter.
  workflows: {
    rooms: ['model'],
    files: ['activities/types.ts'],
    packages: ['@temporalio/workflow', '@temporalio/common'],
  },
  worker: { rooms: ['activities', 'kubernetes', 'store', 'model', 'workflows'] },
  api: { rooms: ['model', 'store'], files: ['workflows/names.ts', 'workflows/types.ts'] },
  dev: { rooms: [] },
}
const unbounded = ['cli', 'test', 'bench', 'examples']

/** One import of a file: the path as written, and whether nothing of it is left when the program runs. */
export interface Import {
  path: string
  typeOnly: boolean
}

/** An import that breaks a rule, in a sentence. */
export interface Violation {
  file: string
  message: string
}

/** Every import of a TypeScript source, in any form the language has. A path that is worked out at run time is given as ''. */
export function importsOf(file: string, source: string): Import[] {
  const { program, errors } = parseSync(file, source, { lang: 'ts', sourceType: 'module' })
  if (errors[0]) throw new Error(`${file} cannot be parsed: ${errors[0].message}`)
  const found: Import[] = []
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const node = value as Record<string, unknown>
    if (importing.has(node.type) && node.source) {
      const written = (node.source as { value?: unknown }).value
      const kind = node.importKind ?? node.exportKind
      found.push({
        path: typeof written === 'string' ? written : '',
        typeOnly: kind === 'type' || node.type === 'TSImportType',
      })
    }
    for (const child of Object.values(node)) visit(child)
  }
  visit(program)
  return found
}

const importing = new Set<unknown>([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
])

/** Checks the files (paths from the root of the repository) against the rooms; `read` gives a file's source, `known` are all that there are. */
export function findViolations(
  files: string[],
  read = (file: string) => readFileSync(file, 'utf8'),
  known: ReadonlySet<string> = new Set(files),
): Violation[] {
  const violations: Violation[] = []
  const edges = new Map<string, string[]>()
  for (const file of files) {
    const targets: string[] = []
    for (const { path, typeOnly } of importsOf(file, read(file))) {
      const target = path.startsWith('.') ? posix.join(posix.dirname(file), path) : undefined
      const message = target === undefined ? packageRefused(file, path) : fileRefused(file, target)
      if (message) violations.push({ file, message })
      if (target === undefined) continue
      if (target.endsWith('.ts') && !known.has(target))
        violations.push({ file, message: `imports ${target}, which is not there` })
      if (!typeOnly) targets.push(target)
    }
    edges.set(file, targets)
  }
  return [...violations, ...circles(edges)]
}

const roomOf = (file: string): string => (file.includes('/') ? file.slice(0, file.indexOf('/')) : '')

/** The rule for a file, or undefined where everything is allowed. */
function ruleFor(file: string): Room | undefined {
  const room = roomOf(file)
  if (file.endsWith('.test.ts') || room === '' || unbounded.includes(room)) return undefined
  return rooms[room] ?? { rooms: [], packages: [] }
}

function fileRefused(file: string, target: string): string | undefined {
  const rule = ruleFor(file)
  const [from, to] = [roomOf(file), roomOf(target)]
  if (!rule || from === to || rule.rooms.includes(to) || rule.files?.includes(target)) return undefined
  const allowed = [...rule.rooms.map((room) => `${room}/`), ...(rule.files ?? [])].join(', ') || 'nothing of ours'
  return `imports ${target}, but ${from}/ may import only: ${allowed}`
}

function packageRefused(file: string, path: string): string | undefined {
  if (path === '') return 'imports a path that is worked out at run time, which nobody can check'
  const allowed = ruleFor(file)?.packages
  const name = path.split('/', path.startsWith('@') ? 2 : 1).join('/')
  if (!allowed || allowed.includes(name)) return undefined
  return `imports the package ${name}, but ${roomOf(file)}/ may import only: ${allowed.join(', ')}`
}

/** Files that wait for each other when they are loaded; types wait for nothing. */
function circles(edges: Map<string, string[]>): Violation[] {
  const found: Violation[] = []
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): void => {
    if (path.includes(file)) {
      const circle = [...path.slice(path.indexOf(file)), file].join(' → ')
      found.push({ file, message: `imports itself in a circle: ${circle}` })
      return
    }
    if (done.has(file)) return
    path.push(file)
    for (const target of edges.get(file) ?? []) visit(target)
    path.pop()
    done.add(file)
  }
  for (const file of edges.keys()) visit(file)
  return found
}
