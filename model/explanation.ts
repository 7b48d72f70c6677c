/** What is known of a play that did not succeed; the material of its explanation. */
export interface PlayOutcome {
  hosts: { name: string; failures: number; dark: number }[]
  /** Failed tasks in order of their failing, as far as they decide: ignored ones are left out. */
  failedTasks: { host: string; task: string; message: string }[]
  /** Lines in which Ansible itself says what is wrong (`[ERROR]: …`, `ERROR! …`), outside any task. */
  errorLines: string[]
}

const most = 3

function names(hosts: readonly string[]): string {
  const shown = hosts.slice(0, most).join(', ')
  return hosts.length > most ? `${shown} and ${hosts.length - most} more` : shown
}

/** Colour codes as Ansible writes them; built from a text because a literal would hold the control character itself. */
const colours = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g')

/** First line of a message, without colours, cut to a readable length. */
function firstLine(text: string): string {
  const line = text.replace(colours, '').trim().split(/\r?\n/)[0] ?? ''
  return line.length > 300 ? `${line.slice(0, 299)}…` : line
}

/**
 * The job_explanation of a play that failed, in one or two sentences: which hosts, which task, what it said. Peers leave it empty and let
 * the operator search the output.
 */
export function explainFailedPlay(outcome: PlayOutcome): {
  cause: 'play_failed' | 'hosts_unreachable' | 'play_did_not_start'
  text: string
} {
  const unreachable = outcome.hosts.filter((host) => host.dark > 0).map((host) => host.name)
  const failed = outcome.hosts.filter((host) => host.failures > 0).map((host) => host.name)
  const lastError = outcome.errorLines.map(firstLine).filter(Boolean)
  if (failed.length === 0 && unreachable.length === 0) {
    const said = lastError.length > 0 ? ` ${lastError[0]}` : ' See the output for what it said.'
    return { cause: 'play_did_not_start', text: `Ansible could not run the play.${said}` }
  }
  const sentences: string[] = []
  if (failed.length > 0) {
    const [first] = outcome.failedTasks
    const where = first?.task ? ` at task "${first.task}"` : ''
    const why = first?.message ? `: ${firstLine(first.message)}` : ''
    sentences.push(
      `The play failed on ${failed.length} of ${outcome.hosts.length} hosts (${names(failed)})${where}${why}.`.replace(
        /\.\.$/,
        '.',
      ),
    )
  }
  if (unreachable.length > 0) {
    const why = failed.length === 0 ? outcome.failedTasks[0]?.message : undefined
    sentences.push(`Unreachable: ${names(unreachable)}${why ? `: ${firstLine(why)}` : ''}.`.replace(/\.\.$/, '.'))
  }
  return { cause: failed.length > 0 ? 'play_failed' : 'hosts_unreachable', text: sentences.join(' ') }
}
