/** The `mayfly` command. Compiled code is kept, so that a second start neither strips types nor compiles again. */
import { enableCompileCache } from 'node:module'
import { compiledFolder } from './compiled.ts'
import { becomeLean } from './lean.ts'
import { resolveQuickly } from './resolution.ts'

becomeLean(process)
enableCompileCache(compiledFolder(process.env))
resolveQuickly()
const { runProgram } = await import('./program.ts')
await runProgram(process.argv)
