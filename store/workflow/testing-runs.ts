import { randomBytes } from 'node:crypto'
import { and, asc, eq, inArray } from 'drizzle-orm'
import { afterAll, beforeAll } from 'vitest'
import type { FinalStatus } from '../../model/job.ts'
import type { EdgeKind } from '../../model/workflow/graph.ts'
import type { Store } from '../database.ts'
import { type JobRow, transitionJob } from '../job-status.ts'
import { decideWorkflowLaunch, makeLaunchedWorkflowJob } from '../launch/workflow-template.ts'
import { instanceGroups, organizations } from '../schema/catalog.ts'
import { hosts, inventories } from '../schema/inventory.ts'
import { unifiedJobs } from '../schema/jobs.ts'
import { outbox } from '../schema/runtime.ts'
import { jobTemplates, projects } from '../schema/templates.ts'
import { workflowJobNodes } from '../schema/workflow-jobs.ts'
import {
  type NodeTemplateType,
  workflowJobTemplateEdges,
  workflowJobTemplateNodes,
  workflowJobTemplates,
} from '../schema/workflows.ts'
import { type Keyring, loadKeyring } from '../secrets.ts'
import { type StoreKind, testStore } from '../testing.ts'
import { advanceWorkflow } from './advance.ts'

/** A node of a workflow for tests; absent: the job template that there is. */
export interface NodeOf {
  template?: number | null
  type?: NodeTemplateType
  all?: boolean
  values?: Partial<typeof workflowJobTemplateNodes.$inferInsert>
}

/** A store of its own with what runs of workflows are made of, and what tests do to them. Call it within `describe`. */
export function runsForTests(kind: StoreKind) {
  let store: Store
  let keyring: Keyring
  let play: number
  let inventoryId: number
  beforeAll(async () => {
    store = await testStore(kind)
    keyring = await loadKeyring({ MAYFLY_SECRET_KEY: randomBytes(32).toString('base64') })
    const organizationId = id(await store.db.insert(organizations).values({ name: 'home' }).returning())
    inventoryId = id(await store.db.insert(inventories).values({ name: 'hosts', organizationId }).returning())
    await store.db
      .insert(hosts)
      .values(Array.from({ length: 5 }, (_, index) => ({ name: `host${index}`, inventoryId, enabled: index > 0 })))
    play = await makePlay({})
    await store.db.insert(instanceGroups).values({ name: 'default', isContainerGroup: true }).onConflictDoNothing()
  })
  afterAll(() => store.close())

  const id = ([row]: { id: number }[]): number => {
    if (row === undefined) throw new Error('no row')
    return row.id
  }
  const makePlay = async (values: Partial<typeof jobTemplates.$inferInsert>) => {
    const projectId = id(await store.db.insert(projects).values({ name: 'site', status: 'successful' }).returning())
    const play = { name: 'deploy', inventoryId, projectId, playbook: 'site.yml', allowSimultaneous: true }
    return id(
      await store.db
        .insert(jobTemplates)
        .values({ ...play, ...values })
        .returning(),
    )
  }
  const makeWorkflow = async (
    nodes: Record<string, NodeOf>,
    edges: [string, EdgeKind, string][],
    values: Partial<typeof workflowJobTemplates.$inferInsert> = {},
  ) => {
    const workflowJobTemplateId = id(
      await store.db
        .insert(workflowJobTemplates)
        .values({ name: 'release', allowSimultaneous: true, ...values })
        .returning(),
    )
    const ids = new Map<string, number>()
    for (const [identifier, { template = play, type = 'job_template', all = false, values = {} }] of Object.entries(
      nodes,
    )) {
      const node = {
        workflowJobTemplateId,
        identifier,
        unifiedJobTemplateId: template,
        templateType: type,
        allParentsMustConverge: all,
        ...values,
      }
      ids.set(identifier, id(await store.db.insert(workflowJobTemplateNodes).values(node).returning()))
    }
    for (const [parent, kind, child] of edges) {
      const edge = { parentId: ids.get(parent) ?? 0, childId: ids.get(child) ?? 0, kind }
      await store.db.insert(workflowJobTemplateEdges).values(edge)
    }
    return workflowJobTemplateId
  }
  const launch = async (templateId: number, prompts: Parameters<typeof decideWorkflowLaunch>[2] = {}) => {
    const [template] = await store.db.select().from(workflowJobTemplates).where(eq(workflowJobTemplates.id, templateId))
    if (!template) throw new Error('no template')
    const launched = await decideWorkflowLaunch({ db: store.db, keyring }, template, prompts)
    const { decision } = launched
    if (!decision.ok) throw new Error(JSON.stringify(decision.errors))
    const job = await store.db.transaction((tx) =>
      makeLaunchedWorkflowJob(tx, keyring, launched, decision, { launchType: 'manual', createdById: null }),
    )
    return await begin(job.id)
  }
  const begin = async (jobId: number) => {
    await store.db.update(unifiedJobs).set({ runId: 'run' }).where(eq(unifiedJobs.id, jobId))
    return jobId
  }
  const step = async (
    jobId: number,
    more: { most?: number; startedUpTo?: number; runId?: string; cancel?: boolean } = {},
  ) =>
    await store.db.transaction((tx) =>
      advanceWorkflow(tx, keyring, { jobId, runId: 'run', startedUpTo: 0, most: 50, cancel: false, ...more }),
    )
  const nodesOf = async (jobId: number) => {
    const rows = await store.db
      .select()
      .from(workflowJobNodes)
      .leftJoin(unifiedJobs, eq(unifiedJobs.id, workflowJobNodes.jobId))
      .where(eq(workflowJobNodes.workflowJobId, jobId))
      .orderBy(asc(workflowJobNodes.id))
    return new Map(rows.map(({ workflow_job_nodes: node, unified_jobs: job }) => [node.identifier, { node, job }]))
  }
  const shown = async (jobId: number) =>
    Object.fromEntries(
      [...(await nodesOf(jobId))].map(([name, { node, job }]) => [name, node.doNotRun ? 'never' : (job?.status ?? '')]),
    )
  const jobOf = async (jobId: number, node: string): Promise<JobRow> => {
    const job = (await nodesOf(jobId)).get(node)?.job
    if (!job) throw new Error(`node ${node} has no job`)
    return job
  }
  const nodeOf = async (jobId: number, node: string) => (await nodesOf(jobId)).get(node)?.node.id ?? 0
  const end = async (jobId: number, node: string, status: FinalStatus, artifacts: Record<string, unknown> = {}) => {
    const job = await jobOf(jobId, node)
    if (job.type === 'job') await transitionJob(store.db, job.id, 'running')
    await transitionJob(store.db, job.id, status, { artifacts })
  }
  const statusOf = async (jobId: number) =>
    (await store.db.select().from(unifiedJobs).where(eq(unifiedJobs.id, jobId)))[0]
  const messages = async (kind: 'start' | 'progress' | 'cancel', ids: number[]) =>
    (
      await store.db
        .select({ subjectId: outbox.subjectId })
        .from(outbox)
        .where(and(eq(outbox.kind, kind), inArray(outbox.subjectId, ids)))
    ).map(({ subjectId }) => subjectId)

  return {
    get store() {
      return store
    },
    get keyring() {
      return keyring
    },
    get play() {
      return play
    },
    id,
    makePlay,
    makeWorkflow,
    launch,
    begin,
    step,
    nodesOf,
    shown,
    jobOf,
    nodeOf,
    end,
    statusOf,
    messages,
  }
}
