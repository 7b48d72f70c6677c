/** Builds kept under a name that follows from their inputs: built once, whole or not at all. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { locked } from './lock.ts'
import { cacheRoot } from './paths.ts'

/** Says what is going on, one line at a time. */
export type Progress = (line: string) => void

/** A build: `inputs` decide whether an earlier result still holds. */
export interface Build {
  name: string
  inputs: string[]
  /** Completes "name: building (…)". */
  takes: string
  /** Fills the empty folder `target`; `log` is where long output belongs. */
  make(target: string, log: string): Promise<void>
}

/** A short hash of everything a build depends on. */
export function inputsHash(inputs: string[]): string {
  const hash = createHash('sha256')
  // The length keeps ["ab","c"] and ["a","bc"] apart.
  for (const input of inputs) hash.update(`${Buffer.byteLength(input)}:`).update(input)
  return hash.digest('hex').slice(0, 12)
}

/** The folder a build's result has or would have. */
export function cachedFolder(build: Pick<Build, 'name' | 'inputs'>, env?: NodeJS.ProcessEnv): string {
  return join(cacheRoot(env), `${build.name}-${inputsHash(build.inputs)}`)
}

/** The folder with the result of `build`, made now if no earlier run left it. */
export async function cached(build: Build, progress: Progress, env?: NodeJS.ProcessEnv): Promise<string> {
  const folder = cachedFolder(build, env)
  if (existsSync(folder)) return folder
  const waiting = (): void => progress(`${build.name}: another process is building it, waiting…`)
  return locked(folder, waiting, async () => {
    if (existsSync(folder)) return folder
    const parent = dirname(folder)
    mkdirSync(parent, { recursive: true })
    for (const entry of readdirSync(parent)) {
      // Holding the lock means that whoever made these is dead.
      if (entry.startsWith(`${basename(folder)}.part`)) rmSync(join(parent, entry), { recursive: true, force: true })
    }
    const target = `${folder}.part${process.pid}`
    const log = join(parent, `${build.name}.log`)
    rmSync(log, { force: true })
    mkdirSync(target)
    progress(`${build.name}: building (${build.takes}, once)…`)
    const begin = performance.now()
    const alive = setInterval(() => progress(`${build.name}: still building, ${elapsed(begin)}; log ${log}`), 30_000)
    try {
      await build.make(target, log)
      renameSync(target, folder)
    } catch (error) {
      rmSync(target, { recursive: true, force: true })
      throw error
    } finally {
      clearInterval(alive)
    }
    progress(`${build.name}: built in ${elapsed(begin)}`)
    return folder
  })
}

/** Time since `begin` (of performance.now()) for people. */
export function elapsed(begin: number): string {
  const seconds = (performance.now() - begin) / 1000
  return seconds < 100 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}
