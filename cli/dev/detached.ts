/** `mayfly dev` in the background. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { alive, launch } from '../../dev/process.ts'
import { until } from '../../dev/wait.ts'
import { CommandError } from '../errors.ts'
import { frugalEnvironment, frugalFlags } from './frugal.ts'
import { findGalaxy, progressOf, startParts } from './parts.ts'
import { adminPassword, devFiles, type Places, readDevRecord } from './record.ts'

/** Starts it as a process of its own; resolves with its places once it is ready, and the admin's password if it was made now. */
export async function startDetached(name: string): Promise<[Places, string | undefined]> {
  const progress = progressOf(name)
  // Builds and starts here, where progress is seen; the background process then finds all of it running.
  await Promise.all([startParts(name, progress), findGalaxy(progress)])
  const { log, adminPassword: passwordFile } = devFiles(name)
  const hadPassword = statSync(passwordFile, { throwIfNoEntry: false }) !== undefined
  const program = join(import.meta.dirname, '..', 'main.ts')
  const args = [...frugalFlags, program, 'dev', '--name', name, '--background']
  const env = { ...(process.env as Record<string, string>), ...frugalEnvironment }
  const logBefore = statSync(log, { throwIfNoEntry: false })?.size ?? 0
  const identity = await launch({ program: process.execPath, args, env, cwd: process.cwd(), log })
  const giveUp = () => {
    if (alive(identity)) return
    const said = readFileSync(log).subarray(logBefore).toString().trim().split('\n').slice(-15).join('\n')
    throw new CommandError(`Mayfly ended while starting:\n${said}`, `the whole log is in ${log}`)
  }
  const places = await until({ what: 'Mayfly to be ready', seconds: 120, log, giveUp }, () => {
    const record = readDevRecord(name)
    return record?.identity.pid === identity.pid ? record.places : undefined
  })
  progress('mayfly: ready')
  return [places, hadPassword ? undefined : adminPassword(name, {})]
}
