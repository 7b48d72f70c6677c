import { expect, test } from 'vitest'
import { UnreachableError } from '../../kubernetes/errors.ts'
import { Checklist } from './checklist.ts'
import { passed, warning } from './findings.ts'

const outcomes = (list: Checklist) => list.report().checks.map(({ name, outcome }) => `${name} ${outcome}`)

test('all checks are told, in their order, and what was not looked at says so', async () => {
  const list = new Checklist()
  expect(await list.check('configuration', async () => ({ ...passed('fine'), found: 7 }))).toBe(7)
  await list.check('reach', async () => warning('slow', 'be faster'))
  const { ok, checks } = list.report()
  expect(ok).toBe(true)
  expect(checks[0]).toMatchObject({ name: 'configuration', outcome: 'passed', message: 'fine', remedy: '' })
  expect(checks[0]).not.toHaveProperty('found')
  expect(checks[2]).toMatchObject({ name: 'tls', outcome: 'skipped', message: 'Nobody asked for it.' })
})

test('after a failure nothing is looked at', async () => {
  const list = new Checklist()
  await list.check('configuration', async () => passed('fine'))
  await list.check('reach', async () => {
    throw new UnreachableError('refused', 'nobody', 'nobody')
  })
  let looked = false
  const found = await list.check('tls', async () => {
    looked = true
    return { ...passed('fine'), found: 1 }
  })
  expect([found, looked, list.sound, list.report().ok]).toEqual([undefined, false, false, false])
  expect(outcomes(list).slice(0, 4)).toEqual([
    ...['configuration passed', 'reach failed', 'tls skipped', 'identity skipped'],
  ])
  expect(list.report().checks[2]?.message).toBe('Left out because the check "reach" failed.')
})

test('some checks alone', () => {
  expect(new Checklist().report(['reach', 'tls']).checks.map(({ name }) => name)).toEqual(['reach', 'tls'])
})
