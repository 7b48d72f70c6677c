/** Where the wrapper keeps its files in the pod. */
export const payloadFolder = '/mayfly/in'
export const spoolFolder = '/mayfly/spool'

/** Container args of a spooled worker that runs `command`, by default the runner. */
export function wrapperArgs(command: string[] = ['ansible-runner', 'worker', '--private-data-dir=/runner']): string[] {
  return ['sh', '-c', '', 'sh', ...command]
}
