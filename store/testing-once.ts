import { access, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { inject } from 'vitest'
import type {} from './testing-setup.ts'

/** Does the work once in this test run, in whichever test process comes first; the others wait for it. */
export async function once(name: string, work: () => Promise<void>): Promise<void> {
  const base = join(inject('storeFolder'), name)
  const [done, failed] = [`${base}.done`, `${base}.failed`]
  try {
    await mkdir(`${base}.claimed`)
  } catch {
    for (;;) {
      if (await exists(done)) return
      if (await exists(failed))
        throw new Error(`preparing ${name} failed in another test: ${await readFile(failed, 'utf8')}`)
      await delay(20)
    }
  }
  try {
    await work()
    await writeFile(done, '')
  } catch (error) {
    await writeFile(failed, String(error))
    throw error
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
