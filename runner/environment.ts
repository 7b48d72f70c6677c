import type { ConfiguredPaths } from './ansible-config.ts'
import type { CredentialEffects } from './credentials.ts'
import type { RunnerJob } from './job.ts'

/** AWX's defaults for every run. */
export const ansibleDefaults = {
  ANSIBLE_FORCE_COLOR: 'True',
  ANSIBLE_HOST_KEY_CHECKING: 'False',
  ANSIBLE_INVENTORY_UNPARSED_FAILED: 'True',
  ANSIBLE_PARAMIKO_RECORD_HOST_KEYS: 'False',
}

/** Where Ansible looks when nothing is configured; our folders come before these. */
const usualRoles = ['~/.ansible/roles', '/usr/share/ansible/roles', '/etc/ansible/roles']
/** The same for collections. */
export const usualCollections = ['~/.ansible/collections', '/usr/share/ansible/collections']

/** Environment of a playbook run, as AWX sets it. Ids are decimal: the callback inside the worker reads JOB_ID as a number. */
export function playbookEnvironment(
  job: RunnerJob,
  effects: CredentialEffects,
  configured: ConfiguredPaths,
): Record<string, string> {
  return {
    ...ansibleDefaults,
    ...job.taskEnv,
    AWX_PRIVATE_DATA_DIR: effects.folder,
    JOB_ID: String(job.id),
    INVENTORY_ID: String(job.inventoryId),
    PROJECT_REVISION: job.projectRevision,
    ANSIBLE_RETRY_FILES_ENABLED: 'False',
    MAX_EVENT_RES: '700000',
    AWX_HOST: job.publicUrl,
    ANSIBLE_SSH_CONTROL_PATH_DIR: `${effects.folder}/cp`,
    ...searchPath(
      'ANSIBLE_ROLES_PATH',
      job.rolesFolder && `${effects.folder}/requirements_roles`,
      configured.roles,
      usualRoles,
    ),
    ...searchPath(
      'ANSIBLE_COLLECTIONS_PATH',
      job.collectionsFolder && `${effects.folder}/requirements_collections`,
      configured.collections,
      usualCollections,
    ),
    ...effects.env,
  }
}

/** Without content of ours the image's own paths and the project's ansible.cfg stay in force. */
function searchPath(name: string, ours: string | null, configured: string[], usual: string[]): Record<string, string> {
  if (!ours) return {}
  return { [name]: [ours, ...(configured.length > 0 ? configured : usual)].join(':') }
}
