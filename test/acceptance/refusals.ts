/** What the API server refused, as its own audit log has it. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { auditEnd } from '../../bench/audit.ts'
import type { TestStack } from '../setup/stack.ts'

interface AuditLine {
  stage: string
  verb: string
  objectRef?: { resource?: string; subresource?: string; namespace?: string }
  responseStatus?: { code?: number }
  requestReceivedTimestamp: string
}

/** Pods of a namespace that were refused, from `begin` on. */
export class Refusals {
  readonly #file: string
  readonly #namespace: string
  readonly #begin: number

  private constructor(file: string, namespace: string) {
    this.#file = file
    this.#namespace = namespace
    this.#begin = auditEnd(file)
  }

  /** Needs a cluster of dev/: of any other the log cannot be read. */
  static begin({ auditLogPath }: TestStack, namespace: string): Refusals {
    if (!auditLogPath) throw new Error('the audit log of the API server is needed')
    return new Refusals(auditLogPath, namespace)
  }

  /** When each was asked for, in milliseconds since 1970, oldest first. */
  times(): number[] {
    const text = this.#read()
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
    return lines
      .filter((line) => line.includes(this.#namespace))
      .map((line) => JSON.parse(line) as AuditLine)
      .filter(({ stage, verb, objectRef: of, responseStatus }) => {
        const ofPod = of?.resource === 'pods' && !of.subresource && of.namespace === this.#namespace
        return stage === 'ResponseComplete' && verb === 'create' && ofPod && responseStatus?.code === 403
      })
      .map(({ requestReceivedTimestamp }) => Date.parse(requestReceivedTimestamp))
      .sort((one, other) => one - other)
  }

  #read(): string {
    const handle = openSync(this.#file, 'r')
    try {
      const bytes = Buffer.alloc(Math.max(0, fstatSync(handle).size - this.#begin))
      return bytes.subarray(0, readSync(handle, bytes, 0, bytes.length, this.#begin)).toString()
    } finally {
      closeSync(handle)
    }
  }
}
