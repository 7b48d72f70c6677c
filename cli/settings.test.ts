import { expect, test } from 'vitest'
import { readSettings, SettingsError } from './settings.ts'

test('everything has a default but what has none', () => {
  const settings = readSettings({ HOME: '/home/somebody' })
  expect(settings).toMatchObject({
    host: '127.0.0.1',
    port: 8052,
    publicUrl: 'http://127.0.0.1:8052',
    logLevel: 'info',
  })
  expect(settings.databaseUrl).toBe(`pglite://${settings.dataFolder}/pglite`)
  expect(settings.adminPassword).toBeUndefined()
})

test('the workflow bundle is kept where installations share what is built, or else with the data', () => {
  expect(readSettings({ MAYFLY_DATA: '/d' }).bundleFolder).toBe('/d')
  expect(readSettings({ MAYFLY_DATA: '/d', MAYFLY_CACHE: '/c' }).bundleFolder).toBe('/c/compiled')
})

test('with the defaults a pod without owner is gone within two minutes', () => {
  const { reaperIntervalSeconds, orphanGraceSeconds } = readSettings({})
  // The rest is for the pass itself: a container may take five seconds to end.
  expect(reaperIntervalSeconds + orphanGraceSeconds).toBeLessThanOrEqual(100)
})

test('links follow host and port', () => {
  expect(readSettings({ MAYFLY_HOST: '0.0.0.0', MAYFLY_PORT: '80' }).publicUrl).toBe('http://0.0.0.0:80')
})

test.each([
  ['MAYFLY_PORT', '70000'],
  ['MAYFLY_PORT', '80.5'],
  ['MAYFLY_PORT', 'http'],
  ['MAYFLY_POD_DEADLINE', '0'],
  ['MAYFLY_REAPER_INTERVAL', 'often'],
  ['MAYFLY_REAPER_DELETES_PER_SECOND', '0'],
  ['MAYFLY_LINE_DEPTH', '0'],
  ['MAYFLY_NIGHTLY_TEST', '24:00'],
  ['MAYFLY_NIGHTLY_TEST', 'at night'],
  ['MAYFLY_LOG_LEVEL', 'loud'],
  ['MAYFLY_LOG_FORMAT', 'xml'],
])('%s=%s is refused by name', (name, value) => {
  expect(() => readSettings({ [name]: value })).toThrow(SettingsError)
  expect(() => readSettings({ [name]: value })).toThrow(name)
})

test('the nightly test has a time, or there is none', () => {
  expect(readSettings({}).nightlyTest).toEqual({ hour: 2, minute: 30 })
  expect(readSettings({ MAYFLY_NIGHTLY_TEST: '0:05' }).nightlyTest).toEqual({ hour: 0, minute: 5 })
  expect(readSettings({ MAYFLY_NIGHTLY_TEST: 'never' }).nightlyTest).toBeNull()
})

test('what is set to nothing is not set', () => {
  expect(readSettings({ MAYFLY_PORT: '', MAYFLY_LOG_LEVEL: '', MAYFLY_ADMIN_PASSWORD: '' })).toMatchObject({
    port: 8052,
    logLevel: 'info',
  })
})
