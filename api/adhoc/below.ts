import { and, eq, type SQL, sql } from 'drizzle-orm'
import { type groups, hosts } from '../../store/schema/inventory.ts'
import { jobEvents, jobHostSummaries, unifiedJobs } from '../../store/schema/jobs.ts'
import { hostsBelow } from '../inventories/group-tree.ts'
import type { SubList } from '../resource.ts'

type Host = typeof hosts.$inferSelect
type Group = typeof groups.$inferSelect

/** Commands that ran on at least one host of the condition, which is about `job_host_summaries`. */
function ranOn(condition: SQL): SQL {
  const one = sql`SELECT 1 FROM ${jobHostSummaries} WHERE ${jobHostSummaries.jobId} = ${unifiedJobs.id} AND ${condition}`
  return sql`EXISTS (${one})`
}

/** `/hosts/N/ad_hoc_commands/`: commands that ran on the host; a POST runs one on it alone. */
export const adHocCommandsOfHost: SubList<Host> = {
  resource: 'ad_hoc_commands',
  where: (host) => ranOn(eq(jobHostSummaries.hostId, host.id)),
  create: true,
  fill: (host) => ({ inventory: host.inventoryId, limit: host.name }),
  title: 'Host Ad Hoc Commands List',
}

/** `/groups/N/ad_hoc_commands/`: commands that ran on hosts of the group; a POST runs one on them. */
export const adHocCommandsOfGroup: SubList<Group> = {
  resource: 'ad_hoc_commands',
  where: (group) =>
    ranOn(sql`${jobHostSummaries.hostId} IN (SELECT ${hosts.id} FROM ${hosts} WHERE ${hostsBelow(group.id)})`),
  create: true,
  fill: (group) => ({ inventory: group.inventoryId, limit: group.name }),
  title: 'Group Ad Hoc Commands List',
}

/** `/hosts/N/ad_hoc_command_events/`. */
export const adHocCommandEventsOfHost: SubList<Host> = {
  resource: 'ad_hoc_command_events',
  where: (host) => and(eq(jobEvents.hostId, host.id), isOf('ad_hoc_command', jobEvents.jobId)) ?? sql`false`,
  title: 'Ad Hoc Command Events List',
}

/** Only what belongs to jobs of that type: events and host summaries of all kinds share their tables. `jobId`: the column that names the job. */
export function isOf(
  type: 'job' | 'ad_hoc_command',
  jobId: typeof jobEvents.jobId | typeof jobHostSummaries.jobId,
): SQL {
  return sql`EXISTS (SELECT 1 FROM ${unifiedJobs} WHERE ${unifiedJobs.id} = ${jobId} AND ${unifiedJobs.type} = ${type})`
}
