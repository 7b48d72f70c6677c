import type { Choice } from '../field.ts'

/** Modules that ad hoc commands may run unless the setting says otherwise (AWX's AD_HOC_COMMANDS). */
export const defaultAdHocModules: readonly string[] = [
  ...['command', 'shell', 'yum', 'apt', 'apt_key', 'apt_repository', 'apt_rpm', 'service', 'group', 'user', 'mount'],
  ...['ping', 'selinux', 'setup', 'win_ping', 'win_service', 'win_updates', 'win_group', 'win_user'],
]

/** The modules as OPTIONS offers them. */
export function moduleChoices(modules: readonly string[] = defaultAdHocModules): readonly Choice[] {
  return modules.map((name) => [name, name])
}
