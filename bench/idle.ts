/** What Mayfly costs while it has nothing to do. */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ownKubernetesNamespace, ownTemporalNamespace, Undo } from '../test/setup/own-places.ts'
import { Part } from '../test/setup/part.ts'
import { atMost, type Bench, info } from './bench.ts'
import { startParts } from './parts.ts'
import { cpuSeconds, peakMegabytes, residentMegabytes } from './processes.ts'
import { installation, ownFolder } from './stand.ts'

const settleSeconds = 20
const seconds = 30

/** API, worker and embedded database in one process, as `mayfly dev` runs them, after their start is over. */
export const idle: Bench = {
  name: 'idle',
  about: 'memory and CPU of API and worker in one process with the embedded database, idle',
  takes: 'about 2 min',
  run: ({ say }) =>
    Undo.after(async (undo) => {
      const stack = await startParts(say, undo)
      const { id, folder } = ownFolder(undo)
      await Promise.all([ownKubernetesNamespace(stack, id, undo), ownTemporalNamespace(stack, id, undo)])
      const { client, env } = await installation(stack, folder, {
        MAYFLY_DATABASE_URL: `pglite://${join(folder, 'data', 'pglite')}`,
        MAYFLY_NAMESPACE: id,
        TEMPORAL_NAMESPACE: id,
      })
      const part = new Part('dev', ['dev'], env, join(folder, 'dev.log'))
      undo.add(() => part.end('SIGTERM'))
      const start = async (): Promise<number> => {
        part.start()
        await part.ready(() => client.answers())
        await pause(settleSeconds * 1000)
        return part.pid ?? 0
      }
      say(`idle: first start, which makes the database; settles for ${settleSeconds} s`)
      const first = residentMegabytes(await start())
      await part.end('SIGTERM')
      say('idle: an ordinary start')
      const pid = await start()
      const before = cpuSeconds(pid)
      const begin = performance.now()
      await pause(seconds * 1000)
      const share = (cpuSeconds(pid) - before) / ((performance.now() - begin) / 1000)
      return [
        atMost('idle.memory', residentMegabytes(pid), 'MB', 250),
        atMost('idle.cpu', share * 100, '% of a core', 1),
        info('idle.memory.peak', peakMegabytes(pid), 'MB'),
        info('idle.memory.first', first, 'MB'),
      ]
    }),
}
