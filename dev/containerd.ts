/** A containerd of our own: on its own socket, with its own folders, and with our images in it. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { elapsed, inputsHash, type Progress } from './cache.ts'
import type { BuiltImage } from './images.ts'
import { pauseImage } from './images.ts'
import { cniConfig, containerdConfig } from './kube-files.ts'
import { podNetwork } from './numbers.ts'
import { cniFolder } from './packages.ts'
import { ensurePart, type Stack } from './parts.ts'
import type { Command } from './process.ts'
import { run, which } from './run.ts'
import { writeWhole } from './state.ts'
import { ownName } from './sweep.ts'

/** The socket of the stack's containerd. */
export function containerdSocket(stack: Stack): string {
  return join(stack.paths.run, 'containerd.sock')
}

/** Starts containerd if it does not run. */
export async function ensureContainerd(stack: Stack): Promise<void> {
  const { paths, record } = stack
  const plugins = cniFolder()
  if (!plugins) throw new Error('the CNI plugins are missing (containernetworking-plugins)')
  const networks = join(paths.state, 'containerd', 'networks')
  const config = join(paths.state, 'containerd', 'config.toml')
  const leases = join(paths.run, 'leases')
  writeWhole(join(networks, '10-pods.conflist'), cniConfig(ownName(stack), podNetwork(record.index), leases))
  const root = containerdRoot(stack)
  const run = join(paths.run, 'containerd')
  const socket = containerdSocket(stack)
  const text = containerdConfig({ root, run, socket, cniFolder: plugins, cniConfig: networks, pauseImage })
  writeWhole(config, text)
  const command: Command = {
    program: which('containerd') ?? 'containerd',
    args: ['--config', config, '--log-level', 'warn'],
    configHash: inputsHash([text]),
    log: join(paths.logs, 'containerd.log'),
  }
  await ensurePart(stack, 'containerd', command)
}

/** Where containerd keeps images and snapshots. */
export function containerdRoot(stack: Pick<Stack, 'paths'>): string {
  return join(stack.paths.state, 'containerd', 'root')
}

/** Imports an image unless this very archive was imported before. */
export async function importImage(stack: Stack, image: BuiltImage, progress: Progress): Promise<void> {
  const mark = join(containerdRoot(stack), `imported-${image.reference.replaceAll(/[/:]/g, '_')}`)
  const ctr = (...args: string[]): Promise<string> =>
    run(which('ctr') ?? 'ctr', ['--address', containerdSocket(stack), '--namespace', 'k8s.io', ...args], {
      seconds: 300,
    })
  if (existsSync(mark) && readFileSync(mark, 'utf8') === image.archive) {
    const names = (await ctr('images', 'list', '-q')).split('\n')
    if (names.includes(image.reference)) return
  }
  rmSync(mark, { force: true })
  const begin = performance.now()
  await ctr('images', 'import', '--snapshotter', 'overlayfs', image.archive)
  writeWhole(mark, image.archive)
  progress(`image: ${image.reference} imported in ${elapsed(begin)}`)
}
