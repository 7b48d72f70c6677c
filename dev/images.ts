/** The small images of the cluster: pause, and a broken one for tests. */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Build, cached, inputsHash, type Progress } from './cache.ts'
import { imageArchitecture, packImage } from './docker-archive.ts'
import { goBuild, pauseBuild } from './go-builds.ts'
import { ensurePackages, imagePackages } from './packages.ts'
import { run } from './run.ts'

/** The name under which the node looks for the pause image. */
export const pauseImage = 'mayfly.local/pause:1'
/** Has a shell and nothing else; for tests of images without ansible-runner. */
const noRunnerImage = 'mayfly.local/no-runner:latest'

/** A built image: the docker archive to import and the name that its content gave it. */
export interface BuiltImage {
  archive: string
  reference: string
}

/** Builds the pause image. */
export async function buildPauseImage(progress: Progress): Promise<BuiltImage> {
  const program = await goBuild(pauseBuild(), progress)
  const make = async (rootfs: string): Promise<void> => {
    copyFileSync(join(program, 'pause'), join(rootfs, 'pause'))
    chmodSync(join(rootfs, 'pause'), 0o755)
  }
  const inputs = [program]
  return small('pause-image', inputs, { tags: [pauseImage], entrypoint: ['/pause'] }, make, progress)
}

/** Builds the image without a runner. */
export async function buildNoRunnerImage(progress: Progress): Promise<BuiltImage> {
  await ensurePackages(imagePackages, progress)
  const make = async (rootfs: string): Promise<void> => {
    for (const folder of ['bin', 'tmp', 'etc']) mkdirSync(join(rootfs, folder))
    chmodSync(join(rootfs, 'tmp'), 0o1777)
    copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'))
    for (const name of (await run('/bin/busybox', ['--list'])).trim().split('\n')) {
      if (name !== 'busybox') symlinkSync('busybox', join(rootfs, 'bin', name))
    }
    writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n')
    writeFileSync(join(rootfs, 'etc/group'), 'root:x:0:\n')
  }
  const inputs = [inputsHash([readFileSync('/bin/busybox', 'latin1')])]
  return small('no-runner-image', inputs, { tags: [noRunnerImage], command: ['sh'] }, make, progress)
}

async function small(
  name: string,
  inputs: string[],
  settings: { tags: string[]; entrypoint?: string[]; command?: string[] },
  fill: (rootfs: string) => Promise<void>,
  progress: Progress,
): Promise<BuiltImage> {
  const build: Build = {
    name,
    inputs: [imageArchitecture(), JSON.stringify(settings), ...inputs],
    takes: 'a second',
    async make(folder) {
      const rootfs = join(folder, 'rootfs')
      mkdirSync(rootfs)
      await fill(rootfs)
      await packImage(rootfs, folder, settings)
      rmSync(rootfs, { recursive: true })
    },
  }
  const folder = await cached(build, progress)
  return { archive: join(folder, 'image.tar'), reference: settings.tags[0] ?? name }
}
