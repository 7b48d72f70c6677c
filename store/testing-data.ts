import { randomUUID } from 'node:crypto'
import type { EventRow } from '../model/event.ts'
import { type AttemptRow, claimAttempt } from './claims.ts'
import type { Database } from './database.ts'
import type { JobRow } from './job-status.ts'
import { instanceGroups, organizations } from './schema/catalog.ts'
import { hosts, inventories } from './schema/inventory.ts'
import { unifiedJobs } from './schema/jobs.ts'

/** A pending playbook job; for tests. */
export async function makeJob(db: Database, columns: Partial<typeof unifiedJobs.$inferInsert> = {}): Promise<JobRow> {
  const values = { type: 'job' as const, name: 'deploy', status: 'pending' as const, ...columns }
  const [job] = await db.insert(unifiedJobs).values(values).returning()
  if (!job) throw new Error('no job was made')
  return job
}

/** A container group with a limit; for tests. */
export async function makeGroup(
  db: Database,
  maxConcurrentJobs = 0,
  columns: Partial<typeof instanceGroups.$inferInsert> = {},
): Promise<number> {
  const values = { name: `group ${randomUUID()}`, isContainerGroup: true, maxConcurrentJobs, ...columns }
  const [group] = await db.insert(instanceGroups).values(values).returning()
  if (!group) throw new Error('no group was made')
  return group.id
}

/** An inventory with so many hosts; for tests. */
export async function makeInventory(db: Database, hostCount: number): Promise<number> {
  const [organization] = await db
    .insert(organizations)
    .values({ name: `organization ${randomUUID()}` })
    .returning()
  if (!organization) throw new Error('no organization was made')
  const values = { name: 'all', organizationId: organization.id }
  const [inventory] = await db.insert(inventories).values(values).returning()
  if (!inventory) throw new Error('no inventory was made')
  const names = Array.from({ length: hostCount }, (_, index) => ({ name: `host-${index}`, inventoryId: inventory.id }))
  if (names.length > 0) await db.insert(hosts).values(names)
  return inventory.id
}

/** A job with its first attempt, claimed by run `run-1`; for tests. */
export async function makeAttempt(db: Database): Promise<AttemptRow> {
  const job = await makeJob(db)
  const groupId = await makeGroup(db)
  const claim = await claimAttempt(db, { jobId: job.id, groupId, workflowId: `job-${job.id}`, runId: 'run-1' })
  if (!('attempt' in claim)) throw new Error('no attempt was made')
  return claim.attempt
}

/** A one-line event; for tests. */
export function makeEvent(counter: number, columns: Partial<EventRow> = {}): EventRow {
  return {
    counter,
    event: 'verbose',
    uuid: `uuid-${counter}`,
    parentUuid: '',
    failed: false,
    changed: false,
    hostId: null,
    hostName: '',
    playbook: 'site.yml',
    play: '',
    task: '',
    role: '',
    stdout: `line ${counter}`,
    startLine: counter - 1,
    endLine: counter,
    verbosity: 0,
    eventData: {},
    created: '2026-11-21T10:36:13.990386+00:00',
    ...columns,
  }
}
