import { expect, test } from 'vitest'
import { type GroupSources, preferredGroups } from './groups.ts'

const sources = (changes: Partial<GroupSources>): GroupSources => ({
  launched: [],
  template: [],
  templatePreventsFallback: false,
  inventory: [],
  inventoryPreventsFallback: false,
  organization: [],
  global: [9],
  ...changes,
})

test.each<[string, Partial<GroupSources>, number[]]>([
  ['launched ones are used alone', { launched: [4, 2], template: [1], organization: [3] }, [4, 2]],
  ['template, inventory, organization in that order', { template: [1], inventory: [2], organization: [3] }, [1, 2, 3]],
  ['a group named twice keeps its first place', { template: [1], inventory: [2, 1], organization: [2, 3] }, [1, 2, 3]],
  [
    'template prevents fallback',
    { template: [1], templatePreventsFallback: true, inventory: [2], organization: [3] },
    [1],
  ],
  [
    'inventory prevents fallback',
    { template: [1], inventory: [2], inventoryPreventsFallback: true, organization: [3] },
    [1, 2],
  ],
  ['nothing named: the global group', {}, [9]],
  ['prevented and empty: still the global group', { templatePreventsFallback: true, organization: [3] }, [9]],
])('%s', (_, changes, expected) => {
  expect(preferredGroups(sources(changes))).toEqual(expected)
})
