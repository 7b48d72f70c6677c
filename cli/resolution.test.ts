import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { resolvePlain } from './resolution.ts'

const conditions = ['node', 'import', 'module-sync', 'node-addons']
const drizzle = 'file:///m/node_modules/drizzle-orm/pg-core/index.js'

test('a relative specifier between our sources, or between modules of drizzle-orm, is resolved by itself', () => {
  expect(resolvePlain('../model/job.ts', { parentURL: 'file:///m/cli/main.ts', conditions })).toEqual({
    url: 'file:///m/model/job.ts',
    format: 'module-typescript',
    shortCircuit: true,
  })
  expect(resolvePlain('./columns/all.js', { parentURL: drizzle, conditions })).toMatchObject({
    url: 'file:///m/node_modules/drizzle-orm/pg-core/columns/all.js',
    format: 'module',
  })
})

test("what depends on a package's own rules is left to Node", () => {
  const parentURL = 'file:///m/cli/main.ts'
  for (const specifier of ['pino', 'node:fs', '#inner', './data.json', '/m/model/job.ts']) {
    expect(resolvePlain(specifier, { parentURL, conditions }), specifier).toBeUndefined()
  }
  expect(resolvePlain('./a.js', { parentURL: 'file:///m/node_modules/pg/esm/index.mjs', conditions })).toBeUndefined()
  expect(resolvePlain('./a.ts', { parentURL: 'file:///m/node_modules/p/a.ts', conditions })).toBeUndefined()
  expect(resolvePlain('./a.js', { parentURL: drizzle, conditions: ['node', 'require'] })).toBeUndefined()
  expect(resolvePlain('./main.ts', { parentURL: undefined, conditions })).toBeUndefined()
})

test('every module of an API and a worker is the one that Node itself finds', () => {
  const root = join(import.meta.dirname, '..')
  const program = `
    import { registerHooks } from 'node:module'
    const { quickResolve } = await import('./cli/resolution.ts')
    const quick = quickResolve()
    let quicker = 0
    registerHooks({ resolve: (specifier, context, next) => {
      const asked = []
      const found = quick(specifier, context, (...args) => (asked.push(args), next(...args)))
      if (asked.length > 0) return found
      const own = next(specifier, context)
      if (found.url !== own.url || found.format !== own.format) throw new Error(specifier + ' of ' + context.parentURL + ' is ' + own.url + ', ' + own.format)
      quicker += 1
      return own
    } })
    await import('./cli/api-part.ts')
    await import('./cli/worker-part.ts')
    console.log(quicker > 1000)
    process.exit()`
  const node = join(root, 'node_modules', '.bin', 'node')
  const { stdout, stderr } = spawnSync(node, ['--input-type=module', '-e', program], { cwd: root, encoding: 'utf8' })
  expect({ stdout, stderr }).toEqual({ stdout: 'true\n', stderr: '' })
}, 120_000)
