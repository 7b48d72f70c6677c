import { isUtf8 } from 'node:buffer'

/**
 * Python hands bytes that are not UTF-8 through as lone surrogates U+DC80…U+DCFF ("surrogateescape"). We keep them so until they are stored:
 * a PostgreSQL text holds neither lone surrogates nor NUL.
 */

/** UTF-8 text in which every byte that is not valid UTF-8 became its lone surrogate. */
export function decodeEscaped(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8')
  const parts: string[] = []
  let from = 0
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at)
    if (length > 0) {
      at += length
      continue
    }
    if (at > from) parts.push(bytes.toString('utf8', from, at))
    parts.push(String.fromCharCode(0xdc00 + (bytes[at] ?? 0)))
    at += 1
    from = at
  }
  if (from < bytes.length) parts.push(bytes.toString('utf8', from))
  return parts.join('')
}

/** Length of the valid UTF-8 sequence that begins here, 0 when there is none. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0
  if (first < 0x80) return 1
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  return first >= 0xc2 && at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0
}

const loneSurrogates = /([\ud800-\udfff]+)/u

/** The bytes that a text with escaped bytes stands for. A lone surrogate that no byte can be is written as its three-byte code. */
export function encodeEscaped(text: string): Buffer {
  // Of a split with one group every odd piece is the group.
  return Buffer.concat(
    text
      .split(loneSurrogates)
      .map((piece, index) => (index % 2 === 0 ? Buffer.from(piece, 'utf8') : escapedBytes(piece))),
  )
}

function escapedBytes(surrogates: string): Buffer {
  const bytes: number[] = []
  for (let index = 0; index < surrogates.length; index += 1) {
    const code = surrogates.charCodeAt(index)
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00)
    else bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f))
  }
  return Buffer.from(bytes)
}

/** The text as PostgreSQL can hold it: U+FFFD for bytes that are not UTF-8, the picture U+2400 for NUL. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\u2400')
}

/** True when storableText changes the text, so that its bytes must be kept beside. */
export function losesBytes(text: string): boolean {
  return !text.isWellFormed() || text.includes('\0')
}
