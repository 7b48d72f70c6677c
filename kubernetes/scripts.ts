/**
 * The shell scripts of the spooled worker. They run in whatever execution environment the user chose, so they use only sh (dash, busybox ash
 * and bash were tried) and: sh tail head wc mkdir mv rm kill cat sleep grep.
 *
 * Files in the pod:
 *   in/commit   folder; whoever makes it decides once whether a payload is delivered (upload) or never will be (cancel)
 *   in/payload  the payload, from its rename into place until the runner has opened it
 *   in/claim    folder; made before the runner is started, so that it is started at most once
 *   in/wrapper, in/pid   process ids of the wrapper and of the runner
 *   in/rc       exit code of the runner: nothing more will be written
 *   in/ack      the output was stored: the wrapper may end
 *   spool/out, spool/err   the runner's output
 * The small files are on the memory volume, so that a full disk does not stop the protocol. Renames make every file appear complete.
 */

/** Mount path of the Memory volume. */
export const payloadFolder = '/mayfly/in'
/** Mount path of the disk volume. */
export const spoolFolder = '/mayfly/spool'

/** Exit codes of the wrapper that are not the runner's. */
export const wrapperExit = {
  /** No payload came in time, or the pod's container was started a second time. */
  notDelivered: 75,
  /** The pod was ended before a payload came. */
  terminatedBeforeStart: 143,
} as const

/** How long the wrapper waits for us. */
export interface WrapperPatience {
  /** For the payload, in seconds; default 30 minutes. */
  deliverySeconds?: number
  /** For the acknowledgement after the runner's end, in seconds; default 24 hours. Until then the pod keeps its output and its place. */
  retentionSeconds?: number
}

/** What an execution environment runs. */
const runnerCommand = ['ansible-runner', 'worker', '--private-data-dir=/runner']

/**
 * Container args of a spooled worker that runs `command` on the payload. They follow the image's ENTRYPOINT, which must run its arguments
 * (those of ansible-builder's images, tini and dumb-init do).
 */
export function wrapperArgs(command: string[] = runnerCommand, patience: WrapperPatience = {}): string[] {
  const { deliverySeconds = 1800, retentionSeconds = 86_400 } = patience
  return ['sh', '-c', wrapper, 'mayfly', String(deliverySeconds), String(retentionSeconds), ...command]
}

/**
 * $1 seconds to wait for the payload, $2 seconds to keep the output, then the command.
 *
 * - sh as process 1 ignores signals it has no trap for, and runs traps only between commands: hence `sleep & wait`.
 * - USR1 only cuts a nap short: who delivers need not wait for the next look.
 * - The runner opens the payload as stdin before it is unlinked; from then on its secrets are in no file.
 * - `wait` returns above 128 both when a trap ran and when the runner died of a signal: only then ask whether it still lives.
 * - TERM (pod deleted) is passed on; the runner then ends its play and writes its last records, which somebody may still fetch.
 * - Where the image lacks the command, the shell says so in spool/err and the exit code is 127.
 */
const wrapper = `umask 077; I=${payloadFolder} D=${spoolFolder}; wait=$1 keep=$2; shift 2
nap() { sleep "$1" & wait $!; }
trap 'exit ${wrapperExit.terminatedBeforeStart}' TERM INT; trap : USR1
echo $$ >$I/wrapper.tmp && mv $I/wrapper.tmp $I/wrapper
n=0
until [ -e $I/payload ]; do
  n=$((n+1)); [ $n -gt $((wait*10)) ] && exit ${wrapperExit.notDelivered}
  nap 0.1
done
mkdir $I/claim || exit ${wrapperExit.notDelivered}
( trap - TERM INT USR1; rm -f $I/payload $I/part.*; exec "$@" ) <$I/payload >$D/out 2>$D/err & c=$!
trap 'kill -TERM $c 2>/dev/null' TERM INT
echo $c >$I/pid.tmp && mv $I/pid.tmp $I/pid
while :; do
  wait $c; r=$?
  [ $r -gt 128 ] && kill -0 $c 2>/dev/null || break
done
trap : TERM INT
echo $r >$I/rc.tmp && mv $I/rc.tmp $I/rc
n=0
until [ -e $I/ack ]; do
  n=$((n+1)); [ $n -gt $((keep*10)) ] && break
  nap 0.1
done
exit $r`

/** Exit codes of a delivery that mean: try again. */
export const deliveryRetry = { wrapperNotReady: 73, cutOff: 74 } as const

/** Words of a delivery's answer. */
export const deliveryAnswer = { ready: 'ready', delivered: 'delivered', started: 'started' } as const

/** How a reader announces on stderr that it is through, followed by the size of the output; and how an acknowledgement's answer ends. */
export const endMark = 'mayfly-end'

/** First word of the answer to an acknowledgement, before the size of the output and the runner's exit code; `running` is followed by neither. */
export const proofAnswer = { acknowledged: 'acknowledged', incomplete: 'incomplete', running: 'running' } as const

/**
 * Prints the output after `$off` bytes of it as it is written, and the end mark on stderr when the runner has ended. `$w`, the process that watches
 * whether the connection is there, ends the script by TERM.
 *
 * - GNU tail ends by itself with the runner; busybox' tail has no --pid, so there the file is looked at five times a second.
 * - A file shorter than what was read from it is told as it is: tail would print what is appended later, whatever its offset.
 * - In that loop rc is looked at before the size: what was written before rc is then surely counted.
 */
const readOn = `trap 'kill $w $t 2>/dev/null; exit 0' TERM
until [ -e $I/pid ] || [ -e $I/rc ]; do sleep 0.05; done
if [ $off -gt $(wc -c <$D/out) ]; then :
elif [ ! -e $I/rc ] && tail --version 2>/dev/null | grep -q GNU; then
  tail -c +$((off+1)) -f -s 0.2 --pid=$(cat $I/pid) $D/out & t=$!; wait $t
  until [ -e $I/rc ]; do sleep 0.05; done
else while :; do
    e=; [ -e $I/rc ] && e=1; n=$(wc -c <$D/out)
    if [ $n -gt $off ]; then tail -c +$((off+1)) $D/out | head -c $((n-off)); off=$n
    elif [ $e ]; then break; else sleep 0.2; fi
  done; fi
echo ${endMark} $(wc -c <$D/out) >&2`

/**
 * `prove BYTES`: waits up to ten seconds for the runner's end, whose last record comes a little before its exit, and answers `acknowledged SIZE RC`,
 * `incomplete SIZE RC` or `running`; the first word is in $a. `let_go` lets the wrapper end, and with it the container and every script in it.
 */
const proof = `prove() {
  a=${proofAnswer.running}; i=0
  until [ -e $I/rc ]; do i=$((i+1)); [ $i -gt 200 ] && { echo $a; return; }; sleep 0.05; done
  s=$(wc -c <$D/out); a=${proofAnswer.incomplete}
  [ "$s" -eq "$1" ] && a=${proofAnswer.acknowledged}
  echo $a $s $(cat $I/rc)
}
let_go() { : >$I/ack && kill -USR1 $(cat $I/wrapper) 2>/dev/null; }`

/**
 * A whole run over one connection: $1 bytes of payload come in, the output goes out, and what was stored is acknowledged.
 *
 * stdin: the payload, once `ready` was said; later a line with the number of bytes that were stored, as often as that is to be proven. Its end is
 * the loss of the connection, and ends the script.
 * stdout: `ready`, so that a payload is only sent to somebody who takes it; then `started` when another delivery (or a cancellation) was first, and
 * that is all; or `delivered`, and from the next byte on the runner's output.
 * stderr: the end mark and the size, once the runner has ended; the answer of `prove` to each line. After `acknowledged` the container ends.
 *
 * - The payload is counted, because the end of stdin is not reliable: a cut connection gives exit 74 and leaves nothing.
 * - Nothing follows the payload before `delivered` was heard: head may read more than it is asked for.
 * - A background job's own stdin is /dev/null, so who waits for lines reads a copy.
 * - A lost connection does not keep an acknowledgement from letting the wrapper go.
 */
export const sessionScript = `umask 077; I=${payloadFolder} D=${spoolFolder}; n=0 off=0
${proof}
[ -e $I/commit ] && { echo ${deliveryAnswer.started}; exit 0; }
until [ -e $I/wrapper ]; do n=$((n+1)); [ $n -gt 100 ] && exit ${deliveryRetry.wrapperNotReady}; sleep 0.02; done
echo ${deliveryAnswer.ready}
head -c "$1" >$I/part.$$
[ "$(wc -c <$I/part.$$)" -eq "$1" ] || { rm -f $I/part.$$; exit ${deliveryRetry.cutOff}; }
mkdir $I/commit 2>/dev/null || { rm -f $I/part.$$; echo ${deliveryAnswer.started}; exit 0; }
mv $I/part.$$ $I/payload && kill -USR1 $(cat $I/wrapper)
echo ${deliveryAnswer.delivered}
exec 3<&0 4>&2
( trap '' PIPE
  while read -r stored; do
    prove "$stored" >&4
    [ $a = ${proofAnswer.acknowledged} ] && { let_go; break; }
  done
  kill -TERM $$ ) <&3 2>/dev/null & w=$!
exec 3<&- 4>&-
${readOn}
wait $w`

/**
 * $1 bytes that the caller has already; needs stdin that is open and silent. Prints the rest as it is written, and the end mark when the
 * runner has ended. The way back to the output of a run whose connection is lost.
 *
 * - Losing the connection closes stdin, and that is all that tells the remote side: a watcher then ends the reader.
 * - A background job's own stdin is /dev/null, so the watcher reads a copy.
 */
export const readerScript = `I=${payloadFolder} D=${spoolFolder}; off=$1
exec 3<&0
( cat >/dev/null; kill -TERM $$ ) <&3 2>/dev/null & w=$!
exec 3<&-
${readOn}
kill $w 2>/dev/null; exit 0`

/** Prints how many bytes of output there are, and `ended` once nothing more will be written. */
export const outputScript = `I=${payloadFolder} D=${spoolFolder}; e=; [ -e $I/rc ] && e=ended; echo $(wc -c <$D/out) $e`

/**
 * $1 bytes that were stored; $2 `keep`: only tell, and let the wrapper wait. First line: the answer of `prove`; after `acknowledged` and `incomplete` the
 * end of the runner's stderr, then a line with the end mark. The wrapper is let go last: with it the container ends, and this script too,
 * wherever it is. A lost connection does not keep it.
 */
export const acknowledgeScript = `umask 077; I=${payloadFolder} D=${spoolFolder}
${proof}
trap '' PIPE
prove "$1"
[ $a = ${proofAnswer.running} ] && exit 0
tail -c 8192 $D/err
printf '\\n%s\\n' ${endMark}
[ $a = ${proofAnswer.acknowledged} ] && [ "$2" != keep ] && let_go
exit 0`

/**
 * Stops the runner: \`signalled\`, \`ended\`, or \`not-started\`, in which case no payload will be accepted any more. A commit without a pid is
 * a start under way, which takes a moment only.
 */
export const signalScript = `umask 077; I=${payloadFolder} n=0
[ -e $I/rc ] && { echo ended; exit 0; }
mkdir $I/commit 2>/dev/null && { echo not-started; exit 0; }
until [ -e $I/pid ]; do n=$((n+1)); [ $n -gt 100 ] && { echo not-started; exit 0; }; sleep 0.05; done
if kill -TERM $(cat $I/pid) 2>/dev/null; then echo signalled; else echo ended; fi`

/** Where the runner unpacks what it was sent and keeps its record of the command it ran: both hold every secret of the job. */
const runnerFolders = ['env', 'inventory', 'artifacts'].map((name) => `/runner/${name}`)

/**
 * Takes what the job was sent out of a pod that outlives it: the runner's copy, and the spool, which has the runner's record in it. Only for
 * output that is stored. $1 `play` for ansible-runner's. Says `cleared`.
 */
export const clearSecretsScript = `I=${payloadFolder}
rm -rf $I/payload $I/part.* $I/credentials $I/vars.json || exit 1
: >${spoolFolder}/out || exit 1
[ "$1" = play ] && { rm -rf ${runnerFolders.join(' ')} || exit 1; }
echo cleared`
