import { projects } from '../../store/schema/templates.ts'
import { openTestApp, type TestApp } from '../testing.ts'

/** Where schedules are. */
export const list = '/api/v2/schedules/'
/** A rule whose first run is the beginning of 2030. */
export const daily = 'DTSTART:20300101T000000Z RRULE:FREQ=DAILY;INTERVAL=1'
/** Milliseconds; the clock stands still. */
const now = Date.parse('2026-11-21T12:00:00Z')

/** An API with what schedules can be of, by ids. */
export class SchedulesApp {
  readonly app: TestApp
  project = 0
  inventory = 0
  /** A job template that asks for nothing. */
  plain = 0
  /** A job template that asks for limit, variables, credentials, labels and instance groups. */
  prompting = 0
  /** A workflow job template. */
  workflow = 0
  #count = 0

  private constructor(app: TestApp) {
    this.app = app
  }

  static async open(): Promise<SchedulesApp> {
    const app = await openTestApp({ deps: { clock: () => now } })
    const made = new SchedulesApp(app)
    const organization = (await app.make('organizations', { name: 'o' })).id
    made.inventory = (await app.make('inventories', { name: 'i', organization })).id
    const source = { scm_type: 'git', scm_url: 'https://x.example.org/p.git' }
    made.project = (await app.make('projects', { name: 'p', organization, ...source })).id
    await app.store.db.update(projects).set({ playbookFiles: ['a.yml'], status: 'successful' })
    const template = { project: made.project, inventory: made.inventory, playbook: 'a.yml' }
    made.plain = (await app.make('job_templates', { name: 'plain', ...template })).id
    made.prompting = (
      await app.make('job_templates', {
        name: 'prompting',
        ...template,
        ask_limit_on_launch: true,
        ask_variables_on_launch: true,
        ask_credential_on_launch: true,
        ask_labels_on_launch: true,
        ask_instance_groups_on_launch: true,
      })
    ).id
    made.workflow = (await app.make('workflow_job_templates', { name: 'wf', description: 'wf' })).id
    return made
  }

  /** Makes a schedule, of `plain` unless the body says otherwise. */
  make(body: Record<string, unknown> = {}) {
    return this.app.make('schedules', {
      name: `s ${++this.#count}`,
      rrule: daily,
      unified_job_template: this.plain,
      ...body,
    })
  }
}
