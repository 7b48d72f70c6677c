/** Courses of workflows whose worker is killed, or whose jobs are kept from beginning. */
import { sql } from 'drizzle-orm'
import { until } from '../../dev/wait.ts'
import { credentialBehind } from '../faults/behind-proxy.ts'
import { FaultProxy } from '../faults/fault-proxy.ts'
import { launch } from '../setup/catalog.ts'
import type { Stage } from './stage.ts'
import { fullGroup, hasAdmission, type Scenario } from './steps.ts'

/** Lets no run take a job, as a database that is away, until the returned function is called. */
async function refuseRuns({ workflows: { store } }: Stage): Promise<() => Promise<unknown>> {
  await store.db.execute(sql`
    CREATE FUNCTION refuse_runs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$`)
  await store.db.execute(sql`
    CREATE TRIGGER refuse_runs BEFORE UPDATE ON unified_jobs FOR EACH ROW
    WHEN (OLD.run_id IS NULL AND NEW.run_id IS NOT NULL) EXECUTE FUNCTION refuse_runs()`)
  return () => store.db.execute(sql`DROP FUNCTION refuse_runs CASCADE`)
}

/** To be played alone, after the others. */
export const loneScenarios: Record<string, Scenario> = {
  'job.prepared-in-the-queue': async (stage) => {
    const letGo = await refuseRuns(stage)
    const job = await stage.launch('ok.yml')
    await until({ what: `job ${job} to prepare in the queue`, seconds: 60, everyMs: 50 }, async () => {
      const history = await stage.operator.history(job).catch(() => [])
      return history.some(({ activity }) => activity === 'prepare')
    })
    await letGo()
    return await stage.closed(job)
  },
  'job.retried-after-kill': async (stage) => {
    const job = await stage.launch('short.yml')
    await stage.prints(job, 'has begun')
    await stage.mayfly.restart('worker')
    return await stage.closed(job)
  },
  'job.worker-killed-while-waiting': async (stage) => {
    const { catalog, free } = await fullGroup(stage)
    const job = await launch(stage.mayfly, await stage.template('ok.yml', catalog))
    await hasAdmission(stage, job)
    await stage.mayfly.restart('worker')
    await free()
    return await stage.closed(job)
  },
  'job.admission-resumed': async (stage) => {
    const { mayfly } = stage
    const proxy = await FaultProxy.before(mayfly.stack)
    try {
      const credential = await credentialBehind(proxy, mayfly, stage.catalog.organization)
      const catalog = await stage.group({ max_concurrent_jobs: 1, credential })
      const match = { verb: 'create', resource: 'pods' } as const
      const held = proxy.add({ match, fault: { kind: 'hold', when: 'before' } })
      const job = await launch(mayfly, await stage.template('ok.yml', catalog))
      await held.met
      // Its own claim fills the group.
      await mayfly.restart('worker')
      proxy.remove(held)
      return await stage.closed(job)
    } finally {
      await proxy.stop()
    }
  },
  'workflowJob.worker-killed': async (stage) => {
    const { workflows } = stage
    const nodes = {
      a: { template: await stage.template('short.yml') },
      b: { template: await stage.template('ok.yml') },
    }
    const run = await workflows.launch(await workflows.template(nodes, ['a success b']))
    await workflows.jobOf(run, 'a', ['running'])
    await stage.mayfly.restart('worker')
    return await stage.closed(run)
  },
}
