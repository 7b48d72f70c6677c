import { eq } from 'drizzle-orm'
import { scheduleDeleted, scheduleWritten } from '../../store/schedules/write.ts'
import { scheduleLabels } from '../../store/schema/labels.ts'
import { scheduleRuns } from '../../store/schema/schedule-runs.ts'
import { scheduleCredentials, scheduleInstanceGroups, schedules } from '../../store/schema/schedules.ts'
import { descriptionField, nameField } from '../field.ts'
import { labelSubList } from '../labels/attach.ts'
import { defineResource } from '../resource.ts'
import { backfillAction } from '../schedules/backfill.ts'
import { checkScheduleCredential } from '../schedules/credentials.ts'
import { ruleFields, runFields } from '../schedules/fields.ts'
import { previewAction, zoneInfoAction } from '../schedules/preview.ts'
import { checkSchedule, nowOf, prepareSchedule } from '../schedules/rules.ts'
import { scheduleSummaries, templatesKnown } from '../schedules/summaries.ts'
import { promptFields, shownVariables } from '../workflows/node-fields.ts'
import { templateLink } from '../workflows/template-kinds.ts'

/** `/api/v2/schedules/`: when templates are launched by themselves, and with what. */
export const schedulesResource = defineResource({
  name: 'schedules',
  type: 'schedule',
  model: 'Schedule',
  titles: { list: 'Schedules', detail: 'Schedule Detail' },
  table: schedules,
  fields: {
    rrule: { kind: 'string', required: true },
    name: nameField(),
    description: descriptionField(),
    ...promptFields,
    unified_job_template: { kind: 'id', to: 'unified_job_templates', required: true },
    enabled: { kind: 'boolean', default: true },
    ...ruleFields,
    ...runFields,
  },
  relations: {
    credentials: {
      kind: 'through',
      to: 'credentials',
      table: scheduleCredentials,
      parent: 'scheduleId',
      child: 'credentialId',
    },
    labels: { kind: 'through', to: 'labels', table: scheduleLabels, parent: 'scheduleId', child: 'labelId' },
    instance_groups: {
      kind: 'through',
      to: 'instance_groups',
      table: scheduleInstanceGroups,
      parent: 'scheduleId',
      child: 'instanceGroupId',
      position: 'position',
    },
    jobs: { kind: 'many', to: 'unified_jobs', column: 'scheduleId' },
    runs: { kind: 'many', to: 'schedule_runs', column: 'scheduleId' },
  },
  searchFields: ['description', 'name'],
  unique: [{ fields: ['unified_job_template', 'name'] }],
  summary: { fields: ['name', 'description', 'next_run'] },
  capabilities: ['edit', 'delete'],
  subLists: {
    jobs: { relation: 'jobs', link: 'unified_jobs', title: 'Schedule Jobs List' },
    runs: { relation: 'runs', order: ['-instant'], title: 'Schedule Runs List' },
    credentials: {
      relation: 'credentials',
      attach: true,
      check: checkScheduleCredential,
      order: ['name'],
      title: 'Schedule Credentials List',
    },
    labels: labelSubList(scheduleLabels.scheduleId, 'schedule', 'Schedule Labels List'),
    instance_groups: { relation: 'instance_groups', attach: true, title: 'Schedule Instance Group List' },
  },
  actions: { backfill: backfillAction },
  collectionActions: { preview: previewAction, zoneinfo: zoneInfoAction },
  hooks: {
    validate: checkSchedule,
    prepare: prepareSchedule,
    afterWrite: (schedule, before, context) => scheduleWritten(context.db, schedule, before, nowOf(context)),
    async remove(schedule, { db }) {
      await db.delete(schedules).where(eq(schedules.id, schedule.id))
      await scheduleDeleted(db, schedule)
      return 204
    },
  },
  summaries: scheduleSummaries,
  present(wire, schedule, context) {
    const template = templatesKnown(context).get(schedule.unifiedJobTemplateId)
    const link = (resource: string, id: number | null | undefined) =>
      id ? { [resource]: `/api/v2/${resource === 'project' ? 'projects' : 'inventories'}/${id}/` } : {}
    const related = {
      ...(wire.related as Record<string, string>),
      ...link('project', template?.projectId),
      ...link('inventory', schedule.inventoryId ?? template?.inventoryId),
      unified_job_template: templateLink(template?.type ?? null, schedule.unifiedJobTemplateId),
    }
    return { ...wire, related, extra_data: shownVariables(schedule.extraData) }
  },
})

/** What became of each run; only below schedules. AWX has nothing like it. */
export const scheduleRunsResource = defineResource({
  name: 'schedule_runs',
  type: 'schedule_run',
  model: 'ScheduleRun',
  detailsOnly: true,
  table: scheduleRuns,
  methods: { list: ['GET'], detail: ['GET'] },
  fields: {
    schedule: { kind: 'id', to: 'schedules' },
    instant: { kind: 'datetime' },
    origin: { kind: 'string' },
    state: { kind: 'string' },
    job: { kind: 'id', to: 'unified_jobs', nullable: true },
    explanation: { kind: 'string' },
  },
  order: ['id'],
})
