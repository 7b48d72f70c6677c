import { randomUUID } from 'node:crypto'
import type { EventRow } from '../../model/event.ts'
import { toEventRow } from '../event.ts'
import type { Redactor } from '../redact.ts'
import { countPlays, type HostSummary, hostSummaries, type PlaybookCounts } from '../results.ts'

/** Stores rows as they come, in order and awaited. */
export type EmitEvents = (rows: EventRow[]) => Promise<void> | void

/** What a task did, in words of Ansible's results. `res` is kept whole, `shown` is printed below the host's name. */
export interface TaskResult {
  changed?: boolean
  skipped?: boolean
  res?: Record<string, unknown>
  shown?: Record<string, unknown>
}

const colours = { green: '0;32', yellow: '0;33', red: '0;31', cyan: '0;36' } as const
const coloured = (colour: keyof typeof colours, text: string) =>
  text.replace(/[^\r\n]+/g, (line) => `\u001b[${colours[colour]}m${line}\u001b[0m`)

const host = 'localhost'
const playbook = 'project_update.yml'

/**
 * Tells work on the control plane as the runner would tell a playbook on localhost: events with gapless counters and lines, in the words and
 * colours of Ansible's own output. Everything it tells passes the redactor.
 */
export class Narrator {
  readonly #emit: EmitEvents
  readonly #redactor: Redactor
  readonly #playbookUuid = randomUUID()
  readonly #counts = { ok: 0, changed: 0, failures: 0, skipped: 0 }
  #counter = 0
  #line = 0
  #play: { name: string; uuid: string } = { name: '', uuid: '' }
  #task: { name: string; uuid: string; action: string } = { name: '', uuid: '', action: '' }
  #summaries: HostSummary[] = []
  #plays: PlaybookCounts = { playCount: 0, taskCount: 0 }

  constructor(emit: EmitEvents, redactor: Redactor) {
    this.#emit = emit
    this.#redactor = redactor
  }

  get eventsEmitted(): number {
    return this.#counter
  }
  /** Known after end(). */
  get summaries(): HostSummary[] {
    return this.#summaries
  }
  get playbookCounts(): PlaybookCounts {
    return this.#plays
  }

  async begin(): Promise<void> {
    await this.#tell('playbook_on_start', { uuid: this.#playbookUuid, parent: '', data: {} })
  }

  async play(name: string): Promise<void> {
    this.#play = { name, uuid: randomUUID() }
    this.#task = { name: '', uuid: '', action: '' }
    await this.#tell('playbook_on_play_start', {
      uuid: this.#play.uuid,
      parent: this.#playbookUuid,
      text: heading('PLAY', name),
      data: { ...this.#playData(), name, pattern: host },
    })
  }

  /**
   * A task around `work`, told before and after it. What `work` throws is told as the task's failure by `describe`, then thrown on; an aborted
   * task has no end, as a killed playbook has none.
   */
  async task<T extends TaskResult>(
    name: string,
    action: string,
    work: () => Promise<T> | T,
    describe: (error: unknown) => Record<string, unknown> | null = () => null,
  ): Promise<T> {
    this.#task = { name, uuid: randomUUID(), action }
    const data = { ...this.#playData(), ...this.#taskData() }
    await this.#tell('playbook_on_task_start', {
      uuid: this.#task.uuid,
      parent: this.#play.uuid,
      text: heading('TASK', name),
      data: { ...data, name, is_conditional: false },
    })
    await this.#tell('runner_on_start', { parent: this.#task.uuid, data: { ...data, host } })
    const started = Date.now()
    let result: T
    try {
      result = await work()
    } catch (error) {
      const res = describe(error)
      if (res) await this.#endTask({ res, shown: res }, started, true)
      throw error
    }
    await this.#endTask(result, started)
    return result
  }

  /** The recap. */
  async end(): Promise<void> {
    const { ok, changed, failures, skipped } = this.#counts
    const map = (count: number) => (count > 0 ? { [host]: count } : {})
    const data = {
      changed: map(changed),
      dark: {},
      failures: map(failures),
      ignored: {},
      ok: map(ok),
      processed: { [host]: 1 },
      rescued: {},
      skipped: map(skipped),
      artifact_data: {},
    }
    const cell = (name: string, count: number, colour: keyof typeof colours) => {
      const text = `${name}=${String(count).padEnd(4)}`
      return count > 0 ? coloured(colour, text) : text
    }
    const name = coloured(failures > 0 ? 'red' : changed > 0 ? 'yellow' : 'green', host)
    const cells = [
      cell('ok', ok, 'green'),
      cell('changed', changed, 'yellow'),
      cell('unreachable', 0, 'red'),
      cell('failed', failures, 'red'),
      cell('skipped', skipped, 'cyan'),
      cell('rescued', 0, 'green'),
      cell('ignored', 0, 'green'),
    ]
    const text = `${heading('PLAY RECAP')}\r\n${name.padEnd(37)} : ${cells.join(' ')}`
    // Ansible ends its output with an empty line, which counts.
    const row = await this.#tell('playbook_on_stats', { parent: this.#playbookUuid, text, lines: 4, data })
    this.#summaries = hostSummaries(row)
  }

  async #endTask(result: TaskResult, started: number, failed = false): Promise<void> {
    const outcome = failed ? 'failures' : result.skipped ? 'skipped' : 'ok'
    this.#counts[outcome] += 1
    if (result.changed && !failed) this.#counts.changed += 1
    const end = Date.now()
    await this.#tell(failed ? 'runner_on_failed' : result.skipped ? 'runner_on_skipped' : 'runner_on_ok', {
      parent: this.#task.uuid,
      text: resultText(result, failed, (value) => this.#redactor.redactValue(value)),
      data: {
        ...this.#playData(),
        ...this.#taskData(),
        host,
        remote_addr: '127.0.0.1',
        ...(result.skipped ? {} : { res: { changed: result.changed ?? false, ...result.res, _ansible_no_log: false } }),
        start: new Date(started).toISOString(),
        end: new Date(end).toISOString(),
        duration: (end - started) / 1000,
        event_loop: null,
        ...(failed ? { ignore_errors: null } : {}),
      },
    })
  }

  async #tell(
    event: string,
    told: { uuid?: string; parent: string; text?: string; lines?: number; data: Record<string, unknown> },
  ): Promise<EventRow> {
    const { uuid = randomUUID(), parent, text = '', data } = told
    const startLine = this.#line
    this.#line += told.lines ?? (text === '' ? 0 : text.split('\n').length)
    this.#counter += 1
    const row = toEventRow({
      event,
      uuid,
      counter: this.#counter,
      parent_uuid: parent,
      stdout: this.#redactor.redact(text),
      start_line: startLine,
      end_line: this.#line,
      created: new Date().toISOString(),
      event_data: this.#redactor.redactValue({ playbook, playbook_uuid: this.#playbookUuid, ...data, uuid }),
    })
    // AWX shows localhost as the host of every event of a project update.
    row.hostName = host
    this.#plays = countPlays(this.#plays, [row])
    await this.#emit([row])
    return row
  }

  #playData(): Record<string, unknown> {
    return { play: this.#play.name, play_uuid: this.#play.uuid, play_pattern: host }
  }

  #taskData(): Record<string, unknown> {
    const { name, uuid, action } = this.#task
    return {
      task: name,
      task_uuid: uuid,
      task_action: action,
      resolved_action: action,
      task_args: '',
      task_path: playbook,
    }
  }
}

/** A line of Ansible's with its stars up to column 79, and the empty line before it. */
function heading(word: string, name = ''): string {
  const text = name === '' ? word : `${word} [${name}]`
  return `\r\n${text} ${'*'.repeat(Math.max(79 - text.length, 3))}`
}

function resultText(result: TaskResult, failed: boolean, redact: <T>(value: T) => T): string {
  if (failed) return coloured('red', `fatal: [${host}]: FAILED! => ${lines(redact(result.shown ?? {}))}`)
  if (result.skipped) return coloured('cyan', `skipping: [${host}]`)
  const word = result.changed ? 'changed' : 'ok'
  const shown = result.shown ? ` => ${lines(redact(result.shown))}` : ''
  return coloured(result.changed ? 'yellow' : 'green', `${word}: [${host}]${shown}`)
}

const lines = (value: Record<string, unknown>) => JSON.stringify(value, null, 4).replaceAll('\n', '\r\n')
