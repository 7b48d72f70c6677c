/** How the one process of `mayfly dev` stays small: it idles beside a whole cluster on somebody's laptop. */
import { compiledFolder } from '../compiled.ts'

/**
 * V8: a small nursery, code compiled for size, and the embedded database by the baseline compiler alone: the optimising one takes 500 MB
 * for a moment and seconds of all cores after every start, which statements of a millisecond do not earn back on a developer's machine.
 */
export const frugalFlags = ['--max-semi-space-size=2', '--optimize-for-size', '--liftoff-only']

/**
 * glibc: one arena, and blocks from 64 KiB on given back when freed; without them start-up leaves 60 MB of holes for good.
 * Node: with the folder of compiled code named here, the program that strips types is not even loaded.
 */
export const frugalEnvironment = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '65536',
  NODE_COMPILE_CACHE: compiledFolder(process.env),
}
