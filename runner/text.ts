import { isUtf8 } from 'node:buffer'

/**
 * Python hands bytes that are not UTF-8 through as lone surrogates U+DC80…U+DCFF ("surrogateescape"). We keep them so until they are stored:
 * a PostgreSQL text holds neither lone surrogates nor NUL.
 */

/** UTF-8 text in which every byte that is not valid UTF-8 became its lone surrogate. */
export function decodeEscaped(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8')
  const units = new Uint16Array(bytes.length)
  let count = 0
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at)
    const first = bytes[at] ?? 0
    if (length === 0) units[count++] = 0xdc00 + first
    else if (length === 1) units[count++] = first
    else {
      let code = first & (0x7f >> length)
      for (let next = 1; next < length; next++) code = (code << 6) | ((bytes[at + next] ?? 0) & 0x3f)
      if (code > 0xffff) units[count++] = 0xd800 + ((code - 0x10000) >> 10)
      units[count++] = code > 0xffff ? 0xdc00 + (code & 0x3ff) : code
    }
    at += Math.max(1, length)
  }
  return Buffer.from(units.buffer, 0, count * 2).toString('utf16le')
}

/** Length of the valid UTF-8 sequence that begins here, 0 when there is none (Unicode 17, table 3-7). */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0
  if (first < 0x80) return 1
  if (first < 0xc2 || first > 0xf4) return 0
  const second = bytes[at + 1] ?? 0
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  if (second < lowest || second > highest) return 0
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  for (let next = 2; next < length; next++) if (((bytes[at + next] ?? 0) & 0xc0) !== 0x80) return 0
  return length
}

/** The bytes that a text with escaped bytes stands for. A lone surrogate that no byte can be is written as its three-byte code. */
export function encodeEscaped(text: string): Buffer {
  // No code unit takes more than three bytes.
  const bytes = Buffer.allocUnsafe(text.length * 3)
  let length = 0
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0xd800 || code > 0xdfff) continue
    if (isPair(code, text.charCodeAt(at + 1))) {
      at += 1
      continue
    }
    length += bytes.write(text.slice(from, at), length)
    from = at + 1
    if (code >= 0xdc80 && code <= 0xdcff) bytes[length++] = code - 0xdc00
    else
      for (const byte of [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)])
        bytes[length++] = byte
  }
  length += bytes.write(text.slice(from), length)
  return Buffer.from(bytes.subarray(0, length))
}

/** True for a high surrogate and the low one that follows it: one character. */
function isPair(high: number, low: number): boolean {
  return high < 0xdc00 && low >= 0xdc00 && low <= 0xdfff
}

/** The text as PostgreSQL can hold it: U+FFFD for bytes that are not UTF-8, the picture U+2400 for NUL. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\u2400')
}

/** True when storableText changes the text, so that its bytes must be kept beside. */
export function losesBytes(text: string): boolean {
  return !text.isWellFormed() || text.includes('\0')
}
