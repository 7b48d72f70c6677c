import { existsSync } from 'node:fs'
import { stackPaths } from '../dev/paths.ts'
import { alive, end, residentBytes } from '../dev/process.ts'
import { stackStatus, stopStack } from '../dev/stack.ts'
import { bannerOf } from './dev/banner.ts'
import { devFiles, readDevRecord } from './dev/record.ts'
import { startDetached, startHere } from './dev/start.ts'
import type { DevOptions } from './program.ts'

/** `mayfly dev`: everything on this machine. */
export async function dev(options: DevOptions): Promise<void> {
  const { name } = options
  if (options.status) return await showStatus(name)
  if (options.down || options.erase) return await stopDev(name, options.erase ?? false)
  const running = readDevRecord(name)
  if (running && alive(running.identity)) {
    console.log(`mayfly dev runs already (process ${running.identity.pid}).`)
    if (running.places) console.log(bannerOf(name, running.places, undefined))
    return
  }
  if (options.detach) console.log(bannerOf(name, ...(await startDetached(name))))
  else await startHere(name)
}

/** Stops Mayfly and then the stack under it; nothing that the environment gave. */
async function stopDev(name: string, erase: boolean): Promise<void> {
  const running = readDevRecord(name)
  const parts = (await stackStatus(name)).parts.filter((part) => part.alive).map((part) => part.part)
  if (running && alive(running.identity)) {
    parts.unshift('mayfly')
    await end(running.identity, 'SIGTERM', 40)
  }
  await stopStack(name, { erase })
  console.log(parts.length > 0 ? `Stopped: ${parts.join(', ')}.` : 'Nothing was running.')
  if (erase) console.log('Its data is removed.')
  else if (existsSync(stackPaths(name).state)) console.log(`Data stays in ${stackPaths(name).state}.`)
}

async function showStatus(name: string): Promise<void> {
  const running = readDevRecord(name)
  const lives = running !== undefined && alive(running.identity)
  const { parts } = await stackStatus(name)
  const line = (part: string, state: string, pid: number, bytes: number, log: string) =>
    console.log(
      `${part.padEnd(24)} ${state.padEnd(9)} ${String(pid).padStart(7)} ${(bytes / 1e6).toFixed(0).padStart(6)} MB  ${log}`,
    )
  if (running && lives) {
    const { identity, places } = running
    line('mayfly', places ? 'ready' : 'starting', identity.pid, residentBytes(identity), devFiles(name).log)
  }
  for (const { part, alive, healthy, pid, residentBytes, log } of parts) {
    line(part, alive ? (healthy ? 'healthy' : 'sick') : 'dead', pid, residentBytes, log)
  }
  if (!lives) console.log(`mayfly itself does not run${parts.length > 0 ? '' : ', nor does anything under it'}.`)
  if (running?.places && lives) console.log(bannerOf(name, running.places, undefined))
}
