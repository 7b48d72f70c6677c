/** Workflow job templates for tests, made in the database in one go: thousands of nodes over HTTP would take longer than what they show. */
import { asc, eq } from 'drizzle-orm'
import { until } from '../../dev/wait.ts'
import type { EdgeKind } from '../../model/workflow/graph.ts'
import { openDatabase, type Store } from '../../store/database.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { workflowJobNodes } from '../../store/schema/workflow-jobs.ts'
import {
  type NodeTemplateType,
  workflowApprovalTemplates,
  workflowJobTemplateEdges,
  workflowJobTemplateNodes,
  workflowJobTemplates,
} from '../../store/schema/workflows.ts'
import type { Mayfly } from './mayfly.ts'

/** A node: the template that it runs, and what it says to it. */
export interface NodeOf {
  template: number
  type?: NodeTemplateType
  all?: boolean
  values?: Partial<typeof workflowJobTemplateNodes.$inferInsert>
}

/** `parent kind child`, such as `a success b`. */
export type EdgeOf = `${string} ${EdgeKind} ${string}`

/** What a test sees of a node of a run. */
export interface NodeSeen {
  id: number
  /** Of its job; `never` when it will not run, `` while it has none. */
  status: string
  jobId: number | null
}

/** Workflows of one Mayfly. */
export class Workflows {
  readonly store: Store
  readonly #mayfly: Mayfly

  private constructor(mayfly: Mayfly, store: Store) {
    this.#mayfly = mayfly
    this.store = store
  }

  /** Close it at the end. */
  static async open(mayfly: Mayfly): Promise<Workflows> {
    return new Workflows(mayfly, await openDatabase(mayfly.databaseUrl))
  }

  close(): Promise<void> {
    return this.store.close()
  }

  /** Makes a workflow job template. Its runs do not wait for each other. */
  async template(
    nodes: Record<string, NodeOf>,
    edges: EdgeOf[],
    values: Partial<typeof workflowJobTemplates.$inferInsert> = {},
  ): Promise<number> {
    const { db } = this.store
    const name = `workflow ${crypto.randomUUID()}`
    const [template] = await db
      .insert(workflowJobTemplates)
      .values({ name, allowSimultaneous: true, ...values })
      .returning()
    if (!template) throw new Error('no template was made')
    const all = Object.entries(nodes).map(
      ([identifier, { template: of, type = 'job_template', all = false, values }]) => ({
        workflowJobTemplateId: template.id,
        identifier,
        unifiedJobTemplateId: of,
        templateType: type,
        allParentsMustConverge: all,
        ...values,
      }),
    )
    const ids = new Map<string, number>()
    for (let start = 0; start < all.length; start += 1000) {
      const made = await db
        .insert(workflowJobTemplateNodes)
        .values(all.slice(start, start + 1000))
        .returning()
      for (const { identifier, id } of made) ids.set(identifier, id)
    }
    const rows = edges.map((edge) => {
      const [parent = '', kind, child = ''] = edge.split(' ')
      return { parentId: ids.get(parent) ?? 0, childId: ids.get(child) ?? 0, kind: kind as EdgeKind }
    })
    for (let start = 0; start < rows.length; start += 1000) {
      await db.insert(workflowJobTemplateEdges).values(rows.slice(start, start + 1000))
    }
    return template.id
  }

  async approvalTemplate(name: string, timeout = 0): Promise<number> {
    const [made] = await this.store.db.insert(workflowApprovalTemplates).values({ name, timeout }).returning()
    if (!made) throw new Error('no approval template was made')
    return made.id
  }

  /** Launches it over HTTP; the id of the workflow job. */
  async launch(template: number, body: Record<string, unknown> = {}): Promise<number> {
    const path = `/workflow_job_templates/${template}/launch/`
    return (await this.#mayfly.post<{ workflow_job: number }>(path, body)).workflow_job
  }

  /** Nodes of a run by identifier. */
  async nodes(run: number): Promise<Map<string, NodeSeen>> {
    const rows = await this.store.db
      .select({
        id: workflowJobNodes.id,
        identifier: workflowJobNodes.identifier,
        doNotRun: workflowJobNodes.doNotRun,
        jobId: workflowJobNodes.jobId,
        status: unifiedJobs.status,
      })
      .from(workflowJobNodes)
      .leftJoin(unifiedJobs, eq(unifiedJobs.id, workflowJobNodes.jobId))
      .where(eq(workflowJobNodes.workflowJobId, run))
      .orderBy(asc(workflowJobNodes.id))
    return new Map(
      rows.map(({ identifier, doNotRun, id, jobId, status }) => [
        identifier,
        { id, jobId, status: status ?? (doNotRun ? 'never' : '') },
      ]),
    )
  }

  /** Statuses of the nodes of a run by identifier. */
  async statuses(run: number): Promise<Record<string, string>> {
    return Object.fromEntries([...(await this.nodes(run))].map(([identifier, { status }]) => [identifier, status]))
  }

  /** Resolves with the node's job once the node has one, and the job has one of the statuses. */
  async jobOf(run: number, identifier: string, statuses?: string[], seconds = 300): Promise<number> {
    const wait = { what: `node ${identifier} of ${run} to have a job`, seconds, everyMs: 100 }
    return await until(wait, async () => {
      const node = (await this.nodes(run)).get(identifier)
      if (!node || node.jobId === null) return undefined
      return statuses === undefined || statuses.includes(node.status) ? node.jobId : undefined
    })
  }

  /** The row of a job of any kind. */
  async row(jobId: number): Promise<typeof unifiedJobs.$inferSelect> {
    const [row] = await this.store.db.select().from(unifiedJobs).where(eq(unifiedJobs.id, jobId))
    if (!row) throw new Error(`there is no job ${jobId}`)
    return row
  }

  /** Resolves with the row of a job of any kind when it has ended. */
  async ended(jobId: number, seconds = 300): Promise<typeof unifiedJobs.$inferSelect> {
    return await until({ what: `job ${jobId} to end`, seconds, pause: this.#mayfly.endOf(jobId) }, async () => {
      const row = await this.row(jobId)
      return row.finished === null ? undefined : row
    })
  }
}
