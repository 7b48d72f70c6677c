/** Starts the process of `mayfly dev` that stays, in place of this one or in the background. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { alive, launch } from '../../dev/process.ts'
import { until } from '../../dev/wait.ts'
import { CommandError } from '../errors.ts'
import { frugalFlags } from './frugal.ts'
import { prepareDev, progressOf } from './prepare.ts'
import { adminPassword, devFiles, type Places, readDevRecord } from './record.ts'
import type { DevTask } from './task.ts'

const args = [...frugalFlags, join(import.meta.dirname, 'serve.ts')]

/** Prepares and then becomes the process that stays, with the same process id; what preparing took is given back by that. */
export async function startHere(name: string): Promise<void> {
  const env = await prepareDev(name, true)
  if (!process.execve) throw new Error('this Node cannot replace a process; Mayfly runs on the one that npm installed')
  process.execve(process.execPath, [process.execPath, ...args], env)
}

/** Starts it as a process of its own; resolves with its places once it is ready, and the admin's password if it was made now. */
export async function startDetached(name: string): Promise<[Places, string | undefined]> {
  const progress = progressOf(name)
  const env = await prepareDev(name, false)
  const { log } = devFiles(name)
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
  const { newPassword } = JSON.parse(env.MAYFLY_DEV_TASK ?? '') as DevTask
  return [places, newPassword ? adminPassword(name, {}) : undefined]
}
