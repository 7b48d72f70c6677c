import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'

/** A workflow job template above a workflow job. */
export interface AncestorTemplate {
  templateId: number
  name: string
}

/** Templates of a workflow job and of the workflow jobs that it is a part of, the nearest first. */
export async function ancestorsOf(db: Database, workflowJobId: number): Promise<AncestorTemplate[]> {
  const { rows } = await db.execute<{ template_id: number; name: string }>(sql`
    WITH RECURSIVE above (id, workflow_job_id, workflow_job_template_id, depth) AS (
      SELECT id, workflow_job_id, workflow_job_template_id, 0 FROM unified_jobs WHERE id = ${workflowJobId}
      UNION ALL
      SELECT job.id, job.workflow_job_id, job.workflow_job_template_id, above.depth + 1
      FROM unified_jobs AS job JOIN above ON job.id = above.workflow_job_id)
    SELECT template.id AS template_id, template.name FROM above
    JOIN workflow_job_templates AS template ON template.id = above.workflow_job_template_id ORDER BY above.depth`)
  return rows.map(({ template_id, name }) => ({ templateId: template_id, name }))
}
