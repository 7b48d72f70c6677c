import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { serverIn } from './testing-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where this test run's shared server and snapshots are; made by whichever test needs them first. */
    storeFolder: string
  }
}

const prefix = 'mayfly-store-'

/** Vitest global setup: gives the tests a folder for a shared server, and ends the server when the run is over. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeLeftovers()
  const folder = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`))
  project.provide('storeFolder', folder)
  return () => remove(folder)
}

async function remove(folder: string): Promise<void> {
  await serverIn(join(folder, 'postgres')).stop()
  await rm(folder, { recursive: true, force: true })
}

/** A run that was killed could not end its server. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1])
    if (pid > 0 && !isAlive(pid)) await remove(join(tmpdir(), name))
  }
}

/** Whether there is a process of this number; it may be another one than it was. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
