/** Loaded before anything else into the processes that run end-to-end tests. */
import { registerHooks } from 'node:module'
import { resolveQuickly } from '../../cli/resolution.ts'

/** Its 900 modules name each other in full, and Node asks for each whether its package has ES modules. */
const client = '/node_modules/@kubernetes/client-node/dist/'

resolveQuickly()
registerHooks({
  resolve(specifier, context, next) {
    const { parentURL, conditions } = context
    const within = parentURL?.includes(client) && /^\.\.?\/.*\.js$/.test(specifier) && conditions.includes('import')
    return within
      ? { url: new URL(specifier, parentURL).href, format: 'module', shortCircuit: true }
      : next(specifier, context)
  },
})
