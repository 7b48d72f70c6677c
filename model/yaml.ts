import type { ScalarTag, Tags } from 'yaml'

/**
 * YAML as PyYAML reads it, which AWX and Ansible use, for the parser's options. It is narrower than YAML 1.1: `y` and `n` are texts, and so is
 * `12e7`, which has no point. Timestamps stay texts too: nothing else survives the way through JSON.
 */
export const likePyYaml = {
  version: '1.1',
  customTags: (tags: Tags): Tags => tags.filter((tag) => !isTimestamp(tag)).map(narrowed),
} as const

function isTimestamp(tag: Tags[number]): boolean {
  return typeof tag !== 'string' && tag.tag === 'tag:yaml.org,2002:timestamp'
}

function narrowed(tag: Tags[number]): Tags[number] {
  if (!isScalarTag(tag)) return tag
  if (tag.tag === 'tag:yaml.org,2002:bool') {
    const test = tag.test?.test('true')
      ? /^(?:[Yy]es|YES|[Tt]rue|TRUE|[Oo]n|ON)$/
      : /^(?:[Nn]o|NO|[Ff]alse|FALSE|[Oo]ff|OFF)$/
    return { ...tag, test }
  }
  if (tag.tag === 'tag:yaml.org,2002:float' && tag.format === 'EXP') {
    return { ...tag, test: /^[-+]?(?:[0-9][0-9_]*)?\.[0-9_]*[eE][-+][0-9]+$/ }
  }
  return tag
}

const isScalarTag = (tag: Tags[number]): tag is ScalarTag => typeof tag === 'object' && 'test' in tag
