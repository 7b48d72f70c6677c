import { expect, test } from 'vitest'
import { ansiToHtml, stripAnsi } from './ansi.ts'

const green = (text: string) => `\u001b[0;32m${text}\u001b[0m`

test('strips colours and cursor movements', () => {
  expect(stripAnsi(`${green('ok: [h1]')}\u001b[2K\u001b[1;31mfatal\u001b[0m`)).toBe('ok: [h1]fatal')
  expect(stripAnsi('plain')).toBe('plain')
})

test.each([
  [green('ok: [h1] => {'), '<span class="ansi32">ok: [h1] =&gt; {</span>'],
  [
    '\u001b[1;31mfatal\u001b[39m bold\u001b[0m <b>',
    '<span class="ansi1 ansi31">fatal</span><span class="ansi1"> bold</span> &lt;b&gt;',
  ],
  ['\u001b[31mred', '<span class="ansi31">red</span>'],
  ['\u001b[2Kgone', 'gone'],
  ['\u001b[31ma\u001b[32mb\u001b[m', '<span class="ansi31">a</span><span class="ansi32">b</span>'],
])('%j', (text, html) => {
  expect(ansiToHtml(text)).toBe(html)
})
