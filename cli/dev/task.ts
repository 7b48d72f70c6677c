import type { ActivitySettings } from '../../activities/deps.ts'
import type { Places } from './record.ts'

/** What the process that serves is told by the one that prepared, in MAYFLY_DEV_TASK; the settings are in the environment as always. */
export interface DevTask {
  name: string
  /** Tell on the terminal where everything is; in the background nobody would see it. */
  show: boolean
  galaxy: ActivitySettings['ansibleGalaxy']
  places: Pick<Places, 'temporalAddress' | 'temporalUiUrl' | 'kubeconfigPath' | 'kubeContext'>
  /** The admin's password was made now; it is in its file. */
  newPassword: boolean
}
