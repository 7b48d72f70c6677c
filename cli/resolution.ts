/** Finds modules quicker than Node does by itself, which is most of the time that a start takes. */
import { type ResolveFnOutput, type ResolveHookContext, type ResolveHookSync, registerHooks } from 'node:module'

/**
 * Where a module is and what it is, when the specifier itself says so: a relative one between our own sources, or between the modules of
 * drizzle-orm. For each of those Node parses the `exports` of the nearest package.json anew, and drizzle-orm's is as long as a book. Undefined
 * where only Node knows.
 */
export function resolvePlain(
  specifier: string,
  { parentURL, conditions }: Pick<ResolveHookContext, 'parentURL' | 'conditions'>,
): ResolveFnOutput | undefined {
  if (!parentURL?.startsWith('file:') || !/^\.\.?\//.test(specifier)) return undefined
  const format = formatOf(specifier, parentURL, conditions)
  return format === undefined ? undefined : { url: new URL(specifier, parentURL).href, format, shortCircuit: true }
}

function formatOf(specifier: string, parentURL: string, conditions: readonly string[]): string | undefined {
  if (parentURL.includes('/node_modules/')) {
    const ofDrizzle = parentURL.includes('/node_modules/drizzle-orm/') && specifier.endsWith('.js')
    return ofDrizzle && conditions.includes('import') ? 'module' : undefined
  }
  return specifier.endsWith('.ts') ? 'module-typescript' : undefined
}

/** A hook that asks Node only for what `resolvePlain` does not know, and once for each package, whichever of our sources import it. */
export function quickResolve(): ResolveHookSync {
  const packages = new Map<string, ResolveFnOutput>()
  return (specifier, context, next) => {
    const plain = resolvePlain(specifier, context)
    if (plain) return plain
    if (!isPackageOfOurs(specifier, context)) return next(specifier, context)
    const known = packages.get(specifier)
    if (known) return known
    const found = next(specifier, context)
    packages.set(specifier, { ...found, shortCircuit: true })
    return found
  }
}

/** Whether one of our sources, which all find the same packages, imports a package. */
function isPackageOfOurs(specifier: string, { parentURL, conditions }: ResolveHookContext): boolean {
  if (!parentURL?.startsWith('file:') || parentURL.includes('/node_modules/')) return false
  return /^[@a-z]/.test(specifier) && !specifier.includes(':') && conditions.includes('import')
}

/** Makes this process find its modules so from here on. */
export function resolveQuickly(): void {
  registerHooks({ resolve: quickResolve() })
}
