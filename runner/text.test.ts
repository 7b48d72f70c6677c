import { isUtf8 } from 'node:buffer'
import { expect, test } from 'vitest'
import { decodeEscaped, encodeEscaped, losesBytes, storableText } from './text.ts'

test.each([
  ['ASCII', 'plain'],
  ['characters of all lengths', 'é€💩'],
  ['bytes between characters', [0x61, 0xff, 0xc3, 0xa9, 0xf0, 0x9f, 0x92, 0xa9, 0x80, 0xe2, 0x82]],
  ['overlong forms and surrogates, which UTF-8 forbids', [0xc0, 0xaf, 0xe0, 0x80, 0xaf, 0xed, 0xa0, 0x80, 0xf5, 0x90]],
  ['NUL', [0x61, 0, 0x62, 0xfe]],
  ['nothing', []],
])('%s come back as they were', (_what, content) => {
  const bytes = Buffer.from(content as string)
  const text = decodeEscaped(bytes)
  expect(encodeEscaped(text)).toEqual(bytes)
  expect(storableText(text)).toBe(text.toWellFormed().replaceAll('\0', '\u2400'))
  expect(text.isWellFormed()).toBe(isUtf8(bytes))
})

test('any bytes: what UTF-8 allows is read as Node reads it, and all of it comes back', () => {
  const leads = [0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff]
  const nexts = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]
  for (const lead of leads) {
    for (const second of nexts) {
      for (const third of nexts) {
        for (const fourth of nexts) {
          const bytes = Buffer.from([lead, second, third, fourth])
          const text = decodeEscaped(Buffer.concat([bytes, Buffer.from([0xff])])).slice(0, -1)
          if (isUtf8(bytes) !== text.isWellFormed())
            throw new Error(`${bytes.toString('hex')} is read as ${JSON.stringify(text)}`)
          if (!encodeEscaped(text).equals(bytes)) throw new Error(`${bytes.toString('hex')} does not come back`)
        }
      }
    }
  }
})

test('a lone surrogate that is no byte is kept as its three-byte code', () => {
  expect([...encodeEscaped('a\ud800b')]).toEqual([0x61, 0xed, 0xa0, 0x80, 0x62])
})

test('twenty megabytes that are no text take no time, stack or memory to speak of', () => {
  const bytes = Buffer.alloc(20_000_000, 0xff)
  const text = decodeEscaped(bytes)
  expect(losesBytes(text)).toBe(true)
  expect(encodeEscaped(text).equals(bytes)).toBe(true)
})
