import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow'
import type { Verdict } from '../activities/types.ts'

const groupKey = defineSearchAttributeKey('MayflyGroup', SearchAttributeType.KEYWORD)
const statusKey = defineSearchAttributeKey('MayflyStatus', SearchAttributeType.KEYWORD)

/**
 * What the Temporal UI tells of a job: current details (live text, free of history) and two search attributes. Attributes cost an event
 * each time, so they are set twice only: when the job got its pod, and when it ended.
 */
export class Story {
  #lines: string[] = []

  /** Adds a line to the current details. */
  tell(line: string): void {
    this.#lines.push(`- ${line}`)
    setCurrentDetails(this.#lines.join('\n'))
  }

  /** Takes the place of everything told so far: how far it has come. */
  now(line: string): void {
    this.#lines = [`- ${line}`]
    setCurrentDetails(line)
  }

  placed(group: string): void {
    upsertSearchAttributes([
      { key: groupKey, value: group },
      { key: statusKey, value: 'running' },
    ])
  }

  /** The job has ended, and its pod is kept. */
  held(verdict: Verdict): void {
    upsertSearchAttributes([{ key: statusKey, value: verdict.status }])
    this.tell(
      `**${verdict.status}**: ${verdict.explanation || verdict.cause}; the pod is kept to be looked into (\`release_hold\` of the API, or Cancel here, lets it go)`,
    )
  }

  ended(verdict: Verdict): void {
    upsertSearchAttributes([{ key: statusKey, value: verdict.status }])
    this.tell(`**${verdict.status}**${verdict.explanation ? `: ${verdict.explanation}` : ''}`)
  }
}
