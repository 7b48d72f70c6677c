/** Very many jobs while processes are killed, jobs are cancelled, and nodes do what nodes do: nothing may be lost, and nothing may stay. */
import { Undo } from '../test/setup/own-places.ts'
import type { Bench, Measurement, Say } from './bench.ts'
import { StoreView, withSimulation } from './simulated.ts'
import { runSoak } from './soak-run.ts'
import type { Stand } from './stand.ts'

/** Events of the captured play that simulated pods say. */
const eventsOfCapturedPlay = 6
/** What simulated nodes do to jobs. */
const shares = { failed: 0.03, killed: 0.02, evicted: 0.02, unpullable: 0.01 }
/** How a job may end by that besides success. */
const simulatedCauses = [
  'play_failed',
  'out_of_memory',
  'pod_evicted',
  'image_not_pullable',
  'canceled',
  'runner_error',
]
/** What one real node has room for. */
const realLimit = 8

/** A command that fails when anything is not as it must be. */
export const soak: Bench = {
  name: 'soak',
  about:
    '2,000 jobs (--jobs N) on simulated nodes and 40 (--real N) in real pods under random kills of worker and API, cancels, deletions and failing nodes: nothing lost, nothing left',
  takes: 'about 12 min',
  strict: true,
  async run({ say, stand: start, size }) {
    const stand = await start()
    const [jobs, real, seed, limit] = [size('jobs', 2_000), size('real', 40), size('seed', 1), size('limit', 60)]
    return [
      ...(await simulated(stand, { jobs, seed, limit }, say)),
      ...(await inRealPods(stand, { jobs: real, seed }, say)),
    ]
  },
}

async function simulated(
  stand: Stand,
  sizes: { jobs: number; seed: number; limit: number },
  say: Say,
): Promise<Measurement[]> {
  const wishes = { limit: sizes.limit, nodes: 3, seed: sizes.seed, plan: { runMs: 800, shares, cutExecs: 0.03 } }
  return await withSimulation(stand, 'soak', wishes, ({ templateId, store }) => {
    const ground = {
      templateId,
      store,
      eventsOfPlay: eventsOfCapturedPlay,
      launchesPerKill: 150,
      causes: simulatedCauses,
    }
    return runSoak(stand, 'soak', ground, sizes, say)
  })
}

/** On the node of the stack: real containers, real Ansible; somebody deletes some of the pods. */
async function inRealPods(stand: Stand, sizes: { jobs: number; seed: number }, say: Say): Promise<Measurement[]> {
  return await Undo.after(async (undo) => {
    const store = await StoreView.open(stand)
    undo.add(() => store.close())
    const groupId = await stand.group('soak-real', { max_concurrent_jobs: realLimit })
    const templateId = await stand.template('stamped.yml', groupId)
    const undisturbed = await stand.client.runJob(templateId)
    const eventsOfPlay = await store.number('SELECT count(*) FROM job_events WHERE job_id = $1', [undisturbed.id])
    const ground = {
      ...{ templateId, store, eventsOfPlay },
      launchesPerKill: Math.max(10, Math.round(sizes.jobs / 12)),
      causes: ['pod_deleted', 'canceled'],
      deletedShare: 0.04,
    }
    return await runSoak(stand, 'soak-real', ground, { ...sizes, limit: realLimit }, say)
  })
}
