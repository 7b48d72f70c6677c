/** Where histories are recorded: a Mayfly with what the scenarios need, and Temporal's own record of what its workflows did. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { until } from '../../dev/wait.ts'
import { jobWorkflowId } from '../../workflows/names.ts'
import { Operator } from '../operator/operator.ts'
import { type Catalog, launch, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type GitServer, startGitServer } from '../setup/git-server.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import type { Undo } from '../setup/own-places.ts'
import { Workflows } from '../setup/workflows.ts'
import type { HistoryJson } from './history.ts'

const play = (...tasks: string[]) =>
  `- hosts: all\n  gather_facts: false\n  tasks: [${tasks.map((task) => `{${task}}`).join(', ')}]\n`

/** Playbooks of the scenarios. */
const files = {
  'ok.yml': play('debug: {msg: fine}'),
  'fail.yml': play('fail: {msg: on purpose}'),
  'hold.yml': play('debug: {msg: has begun}', 'pause: {seconds: 300}'),
  'short.yml': play('debug: {msg: has begun}', 'command: sleep 3'),
}

/** A workflow to record: the current run of the id, or the one named. */
export interface Recorded {
  workflowId: string
  runId?: string
}

/** What scenarios are played on. */
export class Stage {
  readonly mayfly: Mayfly
  readonly operator: Operator
  readonly workflows: Workflows
  readonly git: GitServer
  readonly catalog: Catalog
  /** A target of web hooks that answers with the status that its path names: `/200`, `/404`. */
  readonly targetOrigin: string

  private constructor(parts: Pick<Stage, 'mayfly' | 'operator' | 'workflows' | 'git' | 'catalog' | 'targetOrigin'>) {
    this.mayfly = parts.mayfly
    this.operator = parts.operator
    this.workflows = parts.workflows
    this.git = parts.git
    this.catalog = parts.catalog
    this.targetOrigin = parts.targetOrigin
  }

  static async open(undo: Undo): Promise<Stage> {
    const mayfly = await startMayfly({ env: { MAYFLY_REAPER_INTERVAL: '86400' } })
    undo.add(() => mayfly.stop())
    const operator = await Operator.open(mayfly)
    undo.add(() => operator.close())
    const workflows = await Workflows.open(mayfly)
    undo.add(() => workflows.close())
    const git = await startGitServer(join(mayfly.folder, 'repositories'))
    undo.add(() => git.stop())
    const target = createServer((request, response) => {
      request.resume().once('end', () => response.writeHead(Number(request.url?.slice(1, 4)) || 200).end('{}'))
    })
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
    undo.add(async () => void target.close())
    const catalog = await makeCatalog(mayfly, { files })
    const targetOrigin = `http://127.0.0.1:${(target.address() as AddressInfo).port}`
    return new Stage({ mayfly, operator, workflows, git, catalog, targetOrigin })
  }

  /** Launches a playbook in a template of its own; `group` has the fields of a container group of its own. */
  async launch(playbook: keyof typeof files, group?: Record<string, unknown>): Promise<number> {
    const catalog = group ? await makeCatalog(this.mayfly, { files, group }) : this.catalog
    return await launch(this.mayfly, await this.template(playbook, catalog))
  }

  template(
    playbook: keyof typeof files,
    catalog = this.catalog,
    fields: Record<string, unknown> = {},
  ): Promise<number> {
    return makeTemplate(this.mayfly, catalog, playbook, { allow_simultaneous: true, ...fields })
  }

  group(fields: Record<string, unknown>): Promise<Catalog> {
    return makeCatalog(this.mayfly, { files, group: fields })
  }

  /** Resolves when the output of the job holds the text. */
  async prints(job: number, text: string): Promise<void> {
    await until({ what: `job ${job} to print ${text}`, seconds: 90, everyMs: 50 }, async () =>
      (await this.mayfly.api('GET', `/jobs/${job}/stdout/?format=txt`)).text.includes(text),
    )
  }

  /** Resolves when the job's workflow is closed, with what is to be recorded of it. */
  async closed(job: number): Promise<Recorded> {
    return await this.workflowClosed(jobWorkflowId(job))
  }

  /** Resolves when the workflow exists and is closed, however it ended. */
  async workflowClosed(workflowId: string): Promise<Recorded> {
    const handle = this.operator.client.workflow.getHandle(workflowId)
    await until({ what: `workflow ${workflowId} to be closed`, seconds: 120, everyMs: 100 }, async () => {
      const status = await handle.describe().then(
        ({ status }) => status.name,
        () => 'none',
      )
      return status !== 'none' && status !== 'RUNNING'
    })
    return { workflowId }
  }

  /** Resolves with the first workflow of a type that is closed and meets the query. */
  async anyClosed(type: string, query: string): Promise<Recorded> {
    const search = `WorkflowType = "${type}" AND ExecutionStatus != "Running" AND ${query}`
    return await until({ what: `a workflow with ${search}`, seconds: 60, everyMs: 200 }, async () => {
      for await (const { workflowId, runId } of this.operator.client.workflow.list({ query: search }))
        return { workflowId, runId }
    })
  }

  async history({ workflowId, runId }: Recorded): Promise<HistoryJson> {
    const history = await this.operator.client.workflow.getHandle(workflowId, runId).fetchHistory()
    return JSON.parse(historyToJSON(history)) as HistoryJson
  }
}
