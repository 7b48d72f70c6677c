import { createAdHocCommand } from '../../store/launch/ad-hoc-command.ts'
import type { RequestContext } from '../context.ts'
import { ValidationError } from '../errors.ts'
import type { JobRow } from '../jobs/fields.ts'
import { madeHeaders, makeOnce } from '../launch/idempotency.ts'
import { launchedBody } from '../launch/launch.ts'
import type { Action } from '../resource.ts'
import { credentialOf, givenPasswords, missingPasswords } from './rules.ts'

/** `/ad_hoc_commands/N/relaunch/`: the same command once more, as a new one; AWX calls its launch manual, too. */
export const relaunchAdHocAction: Action<JobRow> = {
  async GET({ object, context }) {
    return { status: 200, body: { passwords_needed_to_start: await passwordsAsked(object, context) } }
  },
  async POST({ object: command, body, context, render }) {
    if (command.inventoryId === null) throw ValidationError.on('inventory', 'No valid inventory.')
    if (command.credentialId === null) throw ValidationError.on('credential', 'This field cannot be blank.')
    const asked = await passwordsAsked(command, context)
    const passwords = givenPasswords(body, asked)
    if (asked.some((name) => !passwords[name])) throw missingPasswords(asked)
    const made = await makeOnce(context, body, async (tx) => {
      const store = { tx, keyring: context.deps.keyring }
      const again = await createAdHocCommand(store, sameAs(command), { createdById: context.actor.id, passwords })
      return { jobId: again.id, ignoredFields: {} }
    })
    const shown = launchedBody(await render('ad_hoc_commands', made.jobId))
    return {
      status: 201,
      body: { ...shown, ad_hoc_command: made.jobId },
      headers: madeHeaders('ad_hoc_commands', made),
    }
  },
  permission: { POST: 'start' },
  ownTransaction: true,
  fields: {
    GET: { passwords_needed_to_start: { type: 'field', label: 'Passwords needed to start', filterable: false } },
    POST: {},
  },
  title: 'Ad Hoc Command Relaunch',
}

async function passwordsAsked({ credentialId }: JobRow, context: RequestContext): Promise<string[]> {
  return credentialId === null ? [] : ((await credentialOf(credentialId, context))?.passwords ?? [])
}

function sameAs(command: JobRow) {
  const { jobType, inventoryId, limit, credentialId, moduleName, moduleArgs, forks, verbosity, extraVars } = command
  const { becomeEnabled, diffMode, executionEnvironmentId } = command
  return {
    ...{ jobType, inventoryId, limit, credentialId, moduleName, moduleArgs, forks, verbosity, extraVars },
    ...{ becomeEnabled, diffMode, executionEnvironmentId },
  }
}
