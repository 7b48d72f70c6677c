import { createHmac } from 'node:crypto'
import type { ContainerSpec } from '../../model/container.ts'
import type { CredentialEffects } from '../credentials.ts'

/**
 * A container job's payload is a shell script, which the pod's wrapper feeds to `sh -s`. It writes the files, runs the command, and tells what
 * came of it in records between the lines that the command prints. Needs of the image: sh, and cat, head, kill, mkdir, rm, sleep, wc.
 */

/** What the wrapper of a container job runs. */
export const containerCommand = ['sh', '-s']

/** Where credentials' files are put; in memory, beside the payload. */
export const credentialFolder = '/mayfly/in/credentials'
const variablesFile = '/mayfly/in/vars.json'
const resultsFile = '/mayfly/spool/results.json'
const lateFile = '/mayfly/spool/late'

/** After a time-out or a cancel the command has this long to end by itself. */
const graceSeconds = 10

/** What of a job the script needs. */
export interface ContainerRun {
  jobId: number
  /** With all expressions worked out. */
  spec: ContainerSpec
  /** Given as JSON in the file that MAYFLY_VARS names. */
  variables: Record<string, unknown>
  credentials: Pick<CredentialEffects, 'env' | 'files'>
  /** Seconds; 0: none. */
  timeoutSeconds: number
  marker: string
}

/**
 * What begins every record of an attempt. The command cannot know it, so it cannot print records of its own; and a worker that takes over knows
 * it without having stored it.
 */
export function recordMarker(key: string, jobId: number, attempt: number): string {
  return `mayfly-${createHmac('sha256', key).update(`job ${jobId} attempt ${attempt}`).digest('hex').slice(0, 40)}`
}

/** The script. Holds secrets: it lives in memory only. */
export function containerScript({ jobId, spec, variables, credentials, timeoutSeconds, marker }: ContainerRun): string {
  const files: [string, string, string][] = [
    ...credentials.files.map(({ path, content }): [string, string, string] => [
      `${credentialFolder}/${path}`,
      content,
      '077',
    ]),
    ...Object.entries(spec.files).map(([path, content]): [string, string, string] => [path, content, '022']),
    [variablesFile, JSON.stringify(variables), '077'],
  ]
  const environment = {
    ...credentials.env,
    ...spec.env,
    MAYFLY_JOB_ID: String(jobId),
    MAYFLY_VARS: variablesFile,
    MAYFLY_RESULTS: resultsFile,
  }
  return `exec 2>&1
tell() { printf '\\n%s %s\\n' ${quote(marker)} "$*"; }
fail() { echo "$1"; tell result 125 0; exit 125; }
put() {
  case "$1" in /?*/*) mkdir -p "\${1%/*}" || fail "cannot make the folder of $1" ;; esac
  printf %s "$2" >"$1" || fail "cannot write $1"
}
# How often the kernel has killed something of this container for want of memory; both generations of cgroups tell.
kills() {
  n=0
  for f in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
    [ -r $f ] && while read -r name value; do [ "$name" = oom_kill ] && n=$value; done <$f
  done
  echo "$n"
}
back() {
  s=$(($(wc -c <"$2")))
  tell "$1" $s "$2"; head -c $s "$2"
}
${files.map(([path, content, mask]) => `umask ${mask}; put ${quote(path)} ${quote(content)}`).join('\n')}
umask 022
${spec.working_directory === '' ? '' : `cd ${quote(spec.working_directory)} || fail 'the image has no folder '${quote(spec.working_directory)}`}
${Object.entries(environment)
  .map(([name, value]) => `export ${name}=${quote(value)}`)
  .join('\n')}
set -- ${spec.command.map(quote).join(' ')}
before=$(kills)
"$@" </dev/null & c=$!
t= asked=
stop() { asked=1; kill -TERM $c 2>/dev/null; [ "$t" ] && kill $t 2>/dev/null; ( sleep ${graceSeconds}; kill -KILL $c ) >/dev/null 2>&1 & t=$!; }
trap stop TERM INT
${timeoutSeconds > 0 ? `( trap - TERM INT; sleep ${timeoutSeconds}; echo >${lateFile}; kill -TERM $c; sleep ${graceSeconds}; kill -KILL $c ) >/dev/null 2>&1 & t=$!` : ''}
while :; do
  wait $c; r=$?
  [ $r -gt 128 ] && kill -0 $c 2>/dev/null || break
done
trap : TERM INT
[ "$t" ] && kill $t 2>/dev/null
rm -rf ${variablesFile} ${credentialFolder}
[ -s ${resultsFile} ] && back results ${resultsFile}
${spec.artifacts.map((path) => `if [ -f ${quote(path)} ]; then back artifact ${quote(path)}; else tell missing 0 ${quote(path)}; fi`).join('\n')}
why=0; [ -e ${lateFile} ] && why=1; [ "$asked" ] && why=2
[ $r$why = 1370 ] && [ "$(kills)" != "$before" ] && why=3
tell result $r $why
exit $r
`
}

/** A text as one word of the shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
