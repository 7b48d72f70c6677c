import { shellLine } from '../command-line.ts'
import { applyCredentials } from '../credential-effects.ts'
import { ansibleDefaults } from '../environment.ts'
import { extraVarsYaml } from '../extra-vars.ts'
import { inventoryScript } from '../inventory.ts'
import { encode, type Payload, settings } from '../payload.ts'
import { promptAnswers } from '../prompts.ts'
import { directoryEntry, textEntry } from '../tree.ts'
import { adHocArguments } from './arguments.ts'
import type { AdHocJob } from './job.ts'

/**
 * What is sent for an ad hoc command: the runner's module mode, without a project. Throws CredentialUnusableError and
 * InventoryVariablesError.
 */
export function buildAdHocPayload(job: AdHocJob): Payload {
  const effects = applyCredentials(job.credentials, job.launchPasswords, job.privateDataDir)
  const kwargs = {
    ident: job.id,
    module: job.moduleName,
    module_args: job.moduleArgs,
    inventory: 'inventory/hosts',
    passwords: promptAnswers(effects.passwords),
    suppress_env_files: true,
    fact_cache_type: '',
    envvars: {
      ...ansibleDefaults,
      ...job.taskEnv,
      AWX_PRIVATE_DATA_DIR: effects.folder,
      AD_HOC_COMMAND_ID: String(job.id),
      INVENTORY_ID: String(job.inventoryId),
      INVENTORY_HOSTVARS: 'True',
      ANSIBLE_LOAD_CALLBACK_PLUGINS: '1',
      ANSIBLE_SFTP_BATCH_MODE: 'False',
      ANSIBLE_RETRY_FILES_ENABLED: 'False',
      MAX_EVENT_RES: '700000',
      ...effects.env,
    },
    ...(effects.sshKey ? { ssh_key: effects.sshKey } : {}),
  }
  const now = new Date()
  const artifacts = `artifacts/${job.id}`
  const entries = [
    directoryEntry('project', 0o700, now),
    directoryEntry('inventory', 0o700, now),
    textEntry('inventory/hosts', inventoryScript(job.inventory), 0o700, now),
    directoryEntry('env', 0o700, now),
    textEntry('env/cmdline', shellLine(adHocArguments(job, effects)), 0o600, now),
    textEntry('env/extravars', extraVarsYaml({ ...job.metaVars, ...job.extraVars }, {}), 0o600, now),
    textEntry('env/settings', JSON.stringify(settings({ timeout: 0, idleTimeout: 0 })), 0o600, now),
    ...effects.files.map((file) => textEntry(file.path, file.content, 0o600, now)),
    ...(effects.sshCertificate
      ? [
          directoryEntry('artifacts', 0o700, now),
          directoryEntry(artifacts, 0o700, now),
          textEntry(`${artifacts}/ssh_key_data-cert.pub`, effects.sshCertificate, 0o600, now),
        ]
      : []),
  ]
  return { ...encode(kwargs, entries), secrets: effects.secrets }
}
