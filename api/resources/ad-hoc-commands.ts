import { eq } from 'drizzle-orm'
import { createAdHocCommand } from '../../store/launch/ad-hoc-command.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { notifications } from '../../store/schema/notifications.ts'
import { moduleChoices } from '../adhoc/modules.ts'
import { relaunchAdHocAction } from '../adhoc/relaunch.ts'
import { checkAdHocCommand, credentialOf, givenPasswords, receiveAdHocCommand } from '../adhoc/rules.ts'
import type { Field } from '../field.ts'
import { cancelAction } from '../jobs/cancel.ts'
import { eventStreamAction } from '../jobs/event-stream.ts'
import { countFields, elapsedSeconds, jobTypeChoices, unifiedJobFields, verbosityChoices } from '../jobs/fields.ts'
import { passedOverField } from '../jobs/passed-over.ts'
import { postMortemAction } from '../jobs/post-mortem.ts'
import { refuseDelete } from '../jobs/removal.ts'
import { stdoutAction } from '../jobs/stdout.ts'
import { waitingAction } from '../jobs/waiting-action.ts'
import { makeOnce } from '../launch/idempotency.ts'
import { defineResource } from '../resource.ts'
import { shellAction } from '../shell/action.ts'
import { loadSummaries } from '../summary.ts'

/** Those of every job, which nobody sets, but for what only jobs of a template have. */
const {
  description: _,
  unified_job_template: _template,
  ...common
} = Object.fromEntries(
  Object.entries(unifiedJobFields('job_templates')).map(([name, field]): [string, Field] => [
    name,
    { ...field, readOnly: true },
  ]),
)

const moduleName = (modules?: readonly string[]): Field => ({
  kind: 'choice',
  choices: moduleChoices(modules),
  default: 'command',
})

/** `/api/v2/ad_hoc_commands/`: one module run on hosts of an inventory. A POST makes and starts it. */
export const adHocCommandsResource = defineResource({
  name: 'ad_hoc_commands',
  type: 'ad_hoc_command',
  model: 'AdHocCommand',
  label: 'command',
  titles: { list: 'Ad Hoc Command List', detail: 'Ad Hoc Command Detail' },
  table: unifiedJobs,
  scope: { type: 'ad_hoc_command' },
  methods: { list: ['GET', 'POST'], detail: ['GET', 'DELETE'] },
  fields: {
    ...common,
    passed_over: passedOverField,
    execution_environment: { kind: 'id', to: 'execution_environments' },
    controller_node: { kind: 'string', readOnly: true },
    job_type: { kind: 'choice', choices: jobTypeChoices, default: 'run' },
    inventory: { kind: 'id', to: 'inventory' },
    limit: { kind: 'string', default: '' },
    credential: { kind: 'id', to: 'credentials' },
    module_name: moduleName(),
    module_args: { kind: 'string', default: '' },
    forks: { kind: 'integer', min: 0, max: 2147483647, default: 0 },
    verbosity: { kind: 'choice', choices: verbosityChoices, default: 0 },
    extra_vars: { kind: 'json', holds: 'variables', default: '', options: { type: 'string' } },
    become_enabled: { kind: 'boolean', default: false },
    diff_mode: { kind: 'boolean', default: false },
    host_status_counts: { ...countFields.host_status_counts, readOnly: true } as Field,
  },
  fieldsFor: ({ adHocModules }) => ({ module_name: moduleName(adHocModules) }),
  relations: {
    ad_hoc_command_events: { kind: 'many', to: 'ad_hoc_command_events', column: 'jobId' },
    instance_group: { kind: 'one', to: 'instance_groups', column: 'instanceGroupId' },
    organization: { kind: 'one', to: 'organizations', column: 'organizationId' },
  },
  searchFields: ['description', 'name'],
  summary: { fields: ['name', 'status', 'limit'] },
  capabilities: ['delete', 'start'],
  subLists: {
    events: {
      relation: 'ad_hoc_command_events',
      order: ['start_line', 'counter'],
      title: 'Ad Hoc Command Events List',
    },
    notifications: {
      resource: 'notifications',
      where: (command) => eq(notifications.jobId, command.id),
      title: 'Ad Hoc Command Notifications List',
    },
  },
  actions: {
    cancel: cancelAction(),
    waiting: waitingAction,
    relaunch: relaunchAdHocAction,
    stdout: stdoutAction('ad_hoc_command'),
    'events/stream': eventStreamAction,
    post_mortem: postMortemAction,
    shell: shellAction,
  },
  hooks: {
    receive: receiveAdHocCommand,
    validate: checkAdHocCommand,
    async insert(values, { body, context }) {
      const { deps, actor } = context
      const credential =
        typeof values.credentialId === 'number' ? await credentialOf(values.credentialId, context) : null
      const passwords = givenPasswords(body, credential?.passwords ?? [])
      const made = await makeOnce(context, body, async (tx) => {
        const launch = { createdById: actor.id, passwords }
        const command = await createAdHocCommand({ tx, keyring: deps.keyring }, values, launch)
        return { jobId: command.id, ignoredFields: {} }
      })
      const [command] = await context.db.select().from(unifiedJobs).where(eq(unifiedJobs.id, made.jobId))
      if (!command) throw new Error(`ad hoc command ${made.jobId} is not there`)
      return command
    },
    beforeDelete: refuseDelete,
  },
  async summaries(commands, context) {
    const ids = commands.flatMap((command) => command.instanceGroupId ?? [])
    const groups = await loadSummaries(context.registry.get('instance_groups'), ids, context)
    return commands.map(({ instanceGroupId }): Record<string, unknown> => {
      const group = groups.get(instanceGroupId ?? 0)
      return group ? { instance_group: group } : {}
    })
  },
  present: (wire, command, context) => ({
    ...wire,
    elapsed: elapsedSeconds(command, new Date(context.now).getTime()),
  }),
})
