import { spawn } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')

/** How a command ended. */
export interface CommandEnd {
  code: number | null
  /** What it wrote to stdout and stderr, in the order in which it came. */
  output: string
}

/** Runs `mayfly COMMAND…` from the sources with exactly this environment, to its end. */
export async function runMayfly(command: string[], env: NodeJS.ProcessEnv): Promise<CommandEnd> {
  const node = join(root, 'node_modules', '.bin', 'node')
  const child = spawn(node, [join(root, 'cli', 'main.ts'), ...command], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { code, output }
}
