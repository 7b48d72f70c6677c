import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, readdir, readFile, rename } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const workflowsFolder = fileURLToPath(new URL('../workflows/', import.meta.url))
const builder = fileURLToPath(new URL('./build-workflow-bundle.ts', import.meta.url))

/** What the bundle depends on: the workflows' sources, what they import of ours, and the SDK's version. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha256')
  hash.update(createRequire(import.meta.url)('@temporalio/worker/package.json').version)
  const folders = [workflowsFolder, fileURLToPath(new URL('../model/', import.meta.url))]
  const files = [fileURLToPath(new URL('../activities/types.ts', import.meta.url))]
  for (const folder of folders)
    for (const name of (await readdir(folder)).sort()) if (name.endsWith('.ts')) files.push(join(folder, name))
  for (const file of files) hash.update(await readFile(file))
  return hash.digest('hex').slice(0, 16)
}

/**
 * Path of the workflow bundle, built when the sources changed. It is built by a process of its own, because the bundler would stay in this
 * one's memory for good: about as much as everything else here.
 */
export async function workflowBundle(folder: string): Promise<{ codePath: string }> {
  const codePath = join(folder, `workflows-${await fingerprint()}.js`)
  try {
    await access(codePath)
  } catch {
    await mkdir(folder, { recursive: true })
    const building = `${codePath}.${process.pid}`
    await promisify(execFile)(process.execPath, [builder, join(workflowsFolder, 'bundle.ts'), building])
    await rename(building, codePath)
  }
  return { codePath }
}
