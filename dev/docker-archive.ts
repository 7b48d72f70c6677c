/** Wraps one layer into a docker archive, the file that `ctr images import` takes: no Docker needed. */
import { createHash } from 'node:crypto'
import { createReadStream, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './run.ts'

/** What the image says about itself. */
export interface ImageSettings {
  /** All names of the image. */
  tags: string[]
  env?: string[]
  command?: string[]
  entrypoint?: string[]
  workingDir?: string
}

/** Go's name for the processor, as images use it. */
export function imageArchitecture(arch: string = process.arch): string {
  return arch === 'x64' ? 'amd64' : arch
}

/** The two JSON files of a docker archive whose only layer is `layer` with this sha256 of the plain tar. */
export function archiveFiles(settings: ImageSettings, layer: string, layerSha256: string, arch?: string) {
  const config = JSON.stringify({
    architecture: imageArchitecture(arch),
    os: 'linux',
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...(settings.env ?? [])],
      ...(settings.command ? { Cmd: settings.command } : {}),
      ...(settings.entrypoint ? { Entrypoint: settings.entrypoint } : {}),
      WorkingDir: settings.workingDir ?? '/',
    },
    // Lists the sha256 of the uncompressed layers; containerd refuses the image when it does not match.
    rootfs: { type: 'layers', diff_ids: [`sha256:${layerSha256}`] },
    history: [{ created_by: 'mayfly dev' }],
  })
  const configName = `${createHash('sha256').update(config).digest('hex')}.json`
  const manifest = JSON.stringify([{ Config: configName, RepoTags: settings.tags, Layers: [layer] }])
  return { config, configName, manifest }
}

/** Packs `rootfs` and writes the docker archive `folder`/image.tar. */
export async function packImage(rootfs: string, folder: string, settings: ImageSettings): Promise<void> {
  const layer = join(folder, 'layer.tar')
  await run('tar', ['--numeric-owner', '--sort=name', '-C', rootfs, '-cf', layer, '.'], { seconds: 600 })
  const { config, configName, manifest } = archiveFiles(settings, 'layer.tar', await sha256(layer))
  writeFileSync(join(folder, configName), config)
  writeFileSync(join(folder, 'manifest.json'), manifest)
  const image = join(folder, 'image.tar')
  await run('tar', ['-C', folder, '-cf', `${image}.new`, 'manifest.json', configName, 'layer.tar'], { seconds: 600 })
  await run('rm', ['-f', layer, join(folder, configName), join(folder, 'manifest.json')])
  renameSync(`${image}.new`, image)
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
