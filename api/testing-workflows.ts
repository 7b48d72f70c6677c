import { sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { unifiedJobs } from '../store/schema/jobs.ts'
import { jobTemplateLabels, labels } from '../store/schema/labels.ts'
import { workflowJobEdges, workflowJobNodes } from '../store/schema/workflow-jobs.ts'
import {
  workflowApprovalTemplates,
  workflowJobTemplateEdges,
  workflowJobTemplateNodes,
  workflowJobTemplates,
} from '../store/schema/workflows.ts'
import type { StoreKind } from '../store/testing.ts'
import type { TestApp } from './testing.ts'
import { openRecordedApp } from './testing-domain.ts'

/** `openRecordedApp` with the workflows that AWX 24.6.1 was recorded with, under the same ids. */
export async function openRecordedWorkflows(kind: StoreKind = 'postgres'): Promise<TestApp> {
  const app = await openRecordedApp(kind)
  const insert = async (table: PgTable, rows: Record<string, unknown>[]) => {
    await app.store.db.insert(table).overridingSystemValue().values(rows)
  }
  const mine = { createdById: 1, modifiedById: 1 }
  await insert(labels, [
    { id: 1, name: 'rec-label', organizationId: 2, ...mine },
    { id: 2, name: 'rec-label2', organizationId: 2, ...mine },
  ])
  await insert(
    jobTemplateLabels,
    [16, 17, 24].map((jobTemplateId) => ({ jobTemplateId, labelId: 1 })),
  )
  const question = { type: 'text', question_name: 'Q', variable: 'w_text', required: true }
  await insert(workflowJobTemplates, [
    {
      ...{ id: 33, name: 'rec-wf', description: 'wf', organizationId: 2, extraVars: 'wv: 1', lastJobId: 86, ...mine },
      ...{ askVariablesOnLaunch: true, askLimitOnLaunch: true, allowSimultaneous: true },
    },
    {
      ...{ id: 35, name: 'rec-wf2', organizationId: 2, inventoryId: 3, askInventoryOnLaunch: true, ...mine },
      ...{ surveyEnabled: true, surveySpec: { name: '', description: '', spec: [question] } },
    },
  ])
  await insert(workflowApprovalTemplates, [{ id: 34, name: 'rec-approval', description: 'ok?', ...mine }])
  const node = (id: number, identifier: string, unifiedJobTemplateId: number, templateType = 'job_template') => ({
    ...{ id, identifier, unifiedJobTemplateId, templateType, allParentsMustConverge: identifier === 'c' },
  })
  const nodes = [
    node(1, 'a', 16),
    node(2, 'b', 17),
    node(3, 'c', 16),
    node(4, 'd', 34, 'workflow_approval_template'),
    node(5, 'e', 16),
    node(6, 'f', 16),
    node(7, 'p', 12, 'project'),
  ]
  await insert(workflowJobTemplateNodes, [
    ...nodes.map((one) => ({ ...one, workflowJobTemplateId: 33 })),
    {
      ...{ ...node(8, 'n1', 32), workflowJobTemplateId: 35, extraData: { q: 1 }, jobTags: 't1', limit: 'h2' },
      ...{ diffMode: true, verbosity: 1, forks: 3 },
    },
    { ...node(9, 'n2', 16), workflowJobTemplateId: 35 },
  ])
  const edges = [
    [1, 2, 'success'],
    [1, 7, 'always'],
    [2, 5, 'success'],
    [2, 4, 'failure'],
    [4, 3, 'success'],
    [4, 6, 'failure'],
  ].map(([parentId, childId, kind]) => ({ parentId, childId, kind }))
  await insert(workflowJobTemplateEdges, [...edges, { parentId: 8, childId: 9, kind: 'success' }])
  const done = { status: 'successful', started: '2026-11-21T13:18:12.524Z', finished: '2026-11-21T13:18:56.255Z' }
  const run = (id: number) => ({
    ...{ id, type: 'workflow_job', name: 'rec-wf', description: 'wf', unifiedJobTemplateId: 33, organizationId: 2 },
    ...{ workflowJobTemplateId: 33, limit: 'h1', allowSimultaneous: true, elapsed: 43.731, ...mine, ...done },
  })
  const approval = (id: number, workflowJobId: number) => ({
    ...{
      id,
      type: 'workflow_approval',
      name: 'rec-approval',
      description: 'ok?',
      unifiedJobTemplateId: 34,
      createdById: 1,
    },
    ...{ workflowApprovalTemplateId: 34, launchType: 'workflow', workflowJobId, started: done.started },
  })
  await insert(unifiedJobs, [
    run(56),
    run(57),
    { ...run(86), status: 'canceled', failed: true, canceledOn: done.finished },
    {
      ...{ ...run(74), name: 'rec-sliced', isSlicedJob: true, jobTemplateId: 16, unifiedJobTemplateId: 16 },
      ...{ workflowJobTemplateId: null, inventoryId: 3, limit: '' },
    },
    { ...approval(64, 56), ...done, status: 'failed', failed: true },
    { ...approval(65, 57), ...done, approvedOrDeniedById: 1 },
    { ...approval(66, 57), status: 'pending' },
  ])
  await insert(workflowJobNodes, [
    ...nodes.map((one) => ({ ...one, workflowJobId: 57, ...(one.id === 1 ? { jobId: 47 } : {}) })),
    { ...node(16, 'slice', 16), workflowJobId: 74, jobId: 48 },
  ])
  await insert(workflowJobEdges, edges)
  for (const table of [labels, workflowJobTemplateNodes, workflowJobNodes]) {
    await app.store.db.execute(sql`ALTER TABLE ${table} ALTER COLUMN id RESTART WITH 1000`)
  }
  return app
}
