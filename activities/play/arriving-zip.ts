import { mkdir, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { ArtifactsZip } from '../../runner/artifacts-zip.ts'

/** Up to this many bytes stay in memory: what most plays leave is a few kilobytes, and a file costs more to make and to remove than they do. */
const mostInMemory = 256 * 1024

/** The artifacts zip while it arrives: in a file once it is large, since it may be hundreds of megabytes. */
export class ArrivingZip {
  readonly #path: string
  #pieces: Buffer[] = []
  #size = 0
  #file: Awaited<ReturnType<typeof open>> | undefined
  /** There is a file of it, open or not. */
  #hasFile = false

  /** `path` is where its file is made. */
  constructor(path: string) {
    this.#path = path
  }

  /** It begins, maybe again. */
  async begin(): Promise<void> {
    await this.discard()
  }

  /** What comes next of it. Keeps the bytes. */
  async append(data: Buffer): Promise<void> {
    if (this.#file) return await this.#file.writeFile(data)
    this.#pieces.push(data)
    this.#size += data.length
    if (this.#size <= mostInMemory) return
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
    this.#file = await open(this.#path, 'w', 0o600)
    this.#hasFile = true
    await this.#file.writeFile(this.#taken())
  }

  /** It is whole. A file is for whoever asked to remove. */
  async end(): Promise<ArtifactsZip> {
    if (!this.#file) return this.#taken()
    await this.#file.close()
    this.#file = undefined
    return this.#path
  }

  /** Forgets what has arrived. */
  async discard(): Promise<void> {
    this.#taken()
    await this.#file?.close()
    this.#file = undefined
    if (this.#hasFile) await rm(this.#path, { force: true })
    this.#hasFile = false
  }

  #taken(): Buffer {
    const whole = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#size = 0
    return whole
  }
}
