import { describe, expect, test } from 'vitest'
import { TemplateError } from './errors.ts'
import { renderTemplate } from './render.ts'

const job = {
  id: 7,
  name: 'deploy',
  failed: false,
  finished: null,
  elapsed: 1.5,
  summary_fields: { inventory: { name: 'inv' }, labels: { count: 1, results: [{ id: 1, name: 'prod' }] } },
  host_status_counts: { ok: 2, failures: 1 },
  artifacts: { url: "it's" },
}
const render = (template: string, strict = false) => renderTemplate(template, { job, url: 'http://x/' }, { strict })

function refusal(template: string, strict = true): [string, string] {
  try {
    throw new Error(`rendered: ${render(template, strict).slice(0, 100)}`)
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    return [error.kind, error.message]
  }
}

test.each([
  ["{{ job.name }} #{{ job.id }} '{{ job['name'] }}'", "deploy #7 'deploy'"],
  ['{{ job.failed }} {{ job.finished }} {{ job.elapsed }}', 'False None 1.5'],
  ['{{ job.host_status_counts }} {{ job.artifacts }}', `{'ok': 2, 'failures': 1} {'url': "it's"}`],
  ['{{ job.host_status_counts | tojson }}', '{"failures": 1, "ok": 2}'],
  ['{% if job.failed %}bad{% elif job.id > 5 %}good{% else %}?{% endif %}', 'good'],
  ['{% for label in job.summary_fields.labels.results %}{{ loop.index }}:{{ label.name }}{% endfor %}', '1:prod'],
  ['{% for key, value in job.host_status_counts.items() %}{{ key }}={{ value }};{% endfor %}', 'ok=2;failures=1;'],
  ['{% for key, value in job.host_status_counts | dictsort %}{{ key }}{% endfor %}', 'failuresok'],
  ['{% set n = job.name | upper %}{{ n }} {{ n.lower() }} {{ n.replace("D", "d") }}', 'DEPLOY deploy dEPLOY'],
  ['{% macro hi(who) %}hi {{ who }}{% endmacro %}{{ hi(job.name) }}', 'hi deploy'],
  ['{{ job.nothing | default("none at all") }}{{ missing | d("!") }}', 'none at all!'],
  ['{{ "yes" if job.nothing is defined else "no" }} {{ job.id is odd }}', 'no True'],
  ['{{ job.nothing.deeper }}.{{ missing }}', '.'],
  ['{{ job.name ~ job.id ~ job.finished }} {{ "-" * 3 }} {{ 7 // 2 }}', 'deploy7None --- 3'],
  ['{{ job.name | truncate(3, true, "") }}{{ job.name | center(10) }}|', 'deploy  deploy  |'],
  ['{{ [3, 1, 2] | sort | join(", ") }} {{ job.name[:3] }} {{ range(3) | list }}', '1, 2, 3 dep [0, 1, 2]'],
  ['{{ job.summary_fields.labels.results | map(attribute="name") | first }}', 'prod'],
  ['{{ "%.1f s, %s, %d%%" % (job.elapsed, job.name, 7) }} {{ "%s" | format(none) }}', '1.5 s, deploy, 7% None'],
  ['{{ [1, 2, 3] | select("odd") | list }} {{ [3, 1] | max }} {{ ["a", "A", "b"] | unique }}', "[1, 3] 3 ['a', 'b']"],
  ['{{ job.summary_fields.labels.results | selectattr("name", "eq", "prod") | list | length }}', '1'],
  ['{{ "it\'s <b>" | tojson }}', '"it\\u0027s \\u003cb\\u003e"'],
  ['{{ 4 / 2 }} {{ 2.5 | round }} {{ 42.55 | round(1, "floor") }} {{ "3" | float ~ "" }}', '2.0 2.0 42.5 3.0'],
  ['{% raw %}{{ kept "as" it \\ is }}{% endraw %}', '{{ kept "as" it \\ is }}'],
  ['{# nothing #}a\n  {%- if true %} b{% endif %}\n', 'a b'],
  ['{% filter upper %}{{ job.name }}{% endfilter %}', 'DEPLOY'],
])('%s', (template, expected) => {
  expect(render(template)).toBe(expected)
})

test('a long text that it was given can be printed', () => {
  const long = 'x'.repeat(20_000_000)
  expect(renderTemplate('a\n\n{{ long }}', { long }).length).toBe(long.length + 3)
})

describe('what is refused', () => {
  test.each([
    ['{{ job.nothing }}', 'undefined', 'nothing'],
    ['{{ missing }}', 'undefined', 'missing'],
    ['{% if missing %}x{% endif %}', 'undefined', 'missing'],
    ['{{ job.id', 'syntax', /./],
    ['{% if job %}', 'syntax', /./],
    ['{{ job.id | frobnicate }}', 'syntax', "No filter named 'frobnicate'."],
    ['{% include "x" %}', 'syntax', /./],
    ['{{ job.__class__ }}', 'security', "access to attribute '__class__' is unsafe."],
    ['{{ "".constructor }}', 'security', "access to attribute 'constructor' is unsafe."],
    ['{{ job["constructor"]["constructor"]("return process")() }}', 'security', /unsafe/],
  ])('%s', (template, kind, message) => {
    const [actualKind, actualMessage] = refusal(template)
    expect(actualKind).toBe(kind)
    if (typeof message === 'string') expect(actualMessage).toBe(message)
    else expect(actualMessage).toMatch(message)
  })

  test.each([
    '{{ job["con" ~ "structor"]("return 1")() }}',
    '{{ range.constructor("return 1")() }}',
    '{{ job.items.call(1) }}',
    '{{ range["con" ~ "structor"]("return process")() }}',
    '{{ [].constructor }}',
    '{{ job | attr("__class__") }}',
    '{{ namespace["__proto__"].polluted }}',
  ])('%s reaches nothing', (template) => {
    expect(() => render(template, true)).toThrow(TemplateError)
  })

  test.each(
    [
      '{% for i in range(1000000000) %}x{% endfor %}',
      '{% for i in range(9999) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}',
      '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}',
      '{{ "x" * 1000000000 }}',
      '{{ ("x" * 1000000) | replace("x", "y" * 1000000) }}',
      '{{ ("x" * 1000000).replace("x", "y" * 1000000) }}',
      `{% set x = "xxxxxxxx" %}${'{% set x = x ~ x %}'.repeat(40)}{{ x }}`,
      `{% set x = [1] %}${'{% set x = [x, x] %}'.repeat(40)}{{ x }}`,
      `{% set x = [1] %}${'{% set x = [x, x] %}'.repeat(40)}{{ x ~ "" }}`,
      `{% set x = [1] %}${'{% set x = x + x %}'.repeat(40)}{{ x | length }}`,
      '{{ "a\nb" | indent(1000000000) }}',
      '{{ "a" | center(1000000000) }}',
      `{% set x = "x" * 3000000 %}{{ "${'%s'.repeat(9000)}" % [${'x,'.repeat(9000)}] }}`,
      `{% set x = "x" * 3000000 %}{{ [${'x,'.repeat(9000)}] | map("upper") | list | length }}`,
      '{% set x = "x" * 3000000 %}{% for i in range(9999) %}{% set y = x | upper %}{% endfor %}',
      '{% set x = "x" * 3000000 %}{% for i in range(9999) %}{% if "y" in x %}{% endif %}{% endfor %}',
      '{% set x = range(9999) | list %}{% set x = [x, x, x, x] %}{% for i in range(9999) %}{% if x | first %}{% endif %}{% endfor %}',
      '{% set x = range(9999) | list %}{% for i in range(9999) %}{{ x | sort | first }}{% endfor %}',
      `{{ ${'('.repeat(15_000)}1${')'.repeat(15_000)} }}`,
      `${' '.repeat(31_000)}{{ 1 + "" }}`,
    ].map((template) => [template.slice(0, 60), template]),
  )('%s… costs little', (_, template = '') => {
    expect(() => render(template)).toThrow(TemplateError)
  })

  test('an array in an addition is not spelled out', () => {
    expect(refusal(`{% set x = [1] %}${'{% set x = [x, x] %}'.repeat(40)}{{ x + "" }}`)[0]).toBe('value')
  })
})
