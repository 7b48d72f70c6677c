/** The `mayfly` command. Compiled code is kept, so that a second start neither strips types nor compiles again. */
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

enableCompileCache(join(process.env.MAYFLY_CACHE || join(homedir(), '.cache', 'mayfly'), 'compiled'))
const { runProgram } = await import('./program.ts')
await runProgram(process.argv)
