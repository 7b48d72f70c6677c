/**
 * Temporal's full server and its SQL tool, as the images of `temporal-compose.yml` hold them. Development uses the CLI's
 * server (temporal.ts); these two let a test run the steps of the compose file on a machine without container engine.
 */
import { renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Build, Progress } from './cache.ts'
import { goBuild, goProgram } from './go-builds.ts'
import { run } from './run.ts'

/** The version that `temporal-compose.yml` pins; a test compares the two. */
export const temporalServerVersion = '1.29.1'

const programs = [
  ['server', 'temporal-server'],
  ['tools/sql', 'temporal-sql-tool'],
] as const

/** The build of `temporal-server` and `temporal-sql-tool`. */
function temporalServerBuild(): Build {
  return {
    name: 'temporal-server',
    inputs: [process.arch, temporalServerVersion],
    takes: 'about 3 min',
    async make(folder, log) {
      const go = await goProgram()
      const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '' }
      for (const [path, name] of programs) {
        // `go install` names a program after its folder (`server`, `sql`), so each is installed alone and renamed.
        const target = `go.temporal.io/server/cmd/${path}@v${temporalServerVersion}`
        const bin = join(folder, `${name}.bin`)
        await run(go, ['install', '-trimpath', '-ldflags', '-s -w', target], {
          cwd: folder,
          log,
          env: { ...env, GOBIN: bin },
          seconds: 3600,
        })
        renameSync(join(bin, basename(path)), join(folder, name))
        rmSync(bin, { recursive: true })
      }
    },
  }
}

/** The folder with both programs, built now if no earlier run left it. */
export function temporalServerFolder(progress: Progress): Promise<string> {
  return goBuild(temporalServerBuild(), progress)
}
