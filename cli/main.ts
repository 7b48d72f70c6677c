/** The `mayfly` command. Compiled code is kept, so that a second start neither strips types nor compiles again. */
import { enableCompileCache } from 'node:module'
import { compiledFolder } from './compiled.ts'

enableCompileCache(compiledFolder(process.env))
const { runProgram } = await import('./program.ts')
await runProgram(process.argv)
