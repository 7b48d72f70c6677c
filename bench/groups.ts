/** What very many container groups cost a worker: memory, pollers, watches, and the time until it serves them all. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { atMost, type Bench, info } from './bench.ts'
import { cpuSeconds, residentMegabytes } from './processes.ts'
import { withSimulation } from './simulated.ts'
import { median } from './statistics.ts'

const clusters = 50
const mostProbes = 20
const idleSeconds = 20

/** Groups share clusters as they do in a company: 50 credentials with a connection of their own each, all of one API server. */
export const groups: Bench = {
  name: 'groups',
  about: `1,000 container groups (--groups N) on ${clusters} clusters in one worker: memory, watches, idle CPU, start`,
  takes: 'about 3 min',
  async run({ say, stand: start, size }) {
    const stand = await start()
    const count = size('groups', 1_000)
    const wishes = { seed: size('seed', 1), plan: { runMs: 200 } }
    return await withSimulation(stand, 'groups', wishes, async ({ nodes, store }) => {
      say('groups: a worker without them')
      let pid = await stand.restart('worker')
      await pause(5_000)
      const before = residentMegabytes(pid)
      say(`groups: makes ${count}`)
      const credentials: number[] = []
      for (let index = 0; index < clusters; index++) {
        credentials.push(await stand.credential(`cluster ${index}`, await stand.cluster.token()))
      }
      const ids: number[] = []
      const making = performance.now()
      for (let index = 0; index < count; index++) {
        const credential = credentials[index % clusters] ?? 0
        ids.push(await stand.group(`group ${index}`, { credential, pod: nodes.podSpec }))
      }
      const made = (performance.now() - making) / 1000
      say('groups: starts the worker anew')
      const begin = performance.now()
      pid = await stand.restart('worker')
      const ready = (performance.now() - begin) / 1000
      // A job of the last group tells when all are served: they are opened in their order.
      const last = await stand.template('tiny.yml', ids.at(-1))
      await stand.client.runJob(last)
      const served = (performance.now() - begin) / 1000
      await pause(10_000)
      const [cpu, at] = [cpuSeconds(pid), performance.now()]
      await pause(idleSeconds * 1000)
      const busy = (cpuSeconds(pid) - cpu) / ((performance.now() - at) / 1000)
      const memory = residentMegabytes(pid)
      const watches = connectionsOf(pid, Number(new URL(stand.cluster.server).port))
      const probes = Math.min(mostProbes, Math.ceil(count / 10))
      say(`groups: a job in each of ${probes}`)
      const took: number[] = []
      for (let index = 0; index < probes; index++) {
        const template = await stand.template('tiny.yml', ids[Math.floor((index * count) / probes)])
        const launched = performance.now()
        await stand.client.runJob(template)
        took.push(performance.now() - launched)
      }
      await store.idle()
      return [
        info('groups.count', count, ''),
        info('groups.memory.more', memory - before, 'MB'),
        atMost('groups.memory', memory, 'MB, worker', 700),
        atMost('groups.cpu', busy * 100, '% of a core, idle', 5),
        info('groups.connections', watches, `to the API server, for ${clusters} clusters`),
        info('groups.ready', ready, 's until the worker says so'),
        info('groups.served', served, 's until a job of the last group has ended'),
        info('groups.made', count / made, '/s'),
        info('groups.job.p50', median(took), 'ms for a job of 0.2 s'),
      ]
    })
  },
}

/** Established TCP connections of a process to a port. */
function connectionsOf(pid: number, port: number): number {
  const sockets = new Set<string>()
  for (const file of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${file}`))?.[1]
      if (inode) sockets.add(inode)
    } catch {
      // Closed meanwhile.
    }
  }
  const established = '01'
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote = '', state = '', , , , , , inode = '']) => {
      return state === established && sockets.has(inode) && Number.parseInt(remote.split(':')[1] ?? '', 16) === port
    }).length
}
