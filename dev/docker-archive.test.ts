import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { archiveFiles, imageArchitecture, packImage } from './docker-archive.ts'
import { run } from './run.ts'

test('the manifest names the config by its own hash, all tags and the layer', () => {
  const tags = ['mayfly.local/x:1', 'mayfly.local/x:latest']
  const files = archiveFiles({ tags, command: ['sh'] }, 'layer.tar', 'abc', 'x64')
  expect(JSON.parse(files.manifest)).toEqual([{ Config: files.configName, RepoTags: tags, Layers: ['layer.tar'] }])
  expect(files.configName).toBe(`${createHash('sha256').update(files.config).digest('hex')}.json`)
  const config = JSON.parse(files.config)
  expect(config).toMatchObject({ architecture: 'amd64', os: 'linux', rootfs: { diff_ids: ['sha256:abc'] } })
  expect(config.config.Cmd).toEqual(['sh'])
  expect(config.config).not.toHaveProperty('Entrypoint')
})

test('processors have the names that images use', () => {
  expect(imageArchitecture('x64')).toBe('amd64')
  expect(imageArchitecture('arm64')).toBe('arm64')
})

test('a packed image holds a layer whose hash is the one in its config', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-'))
  const rootfs = join(folder, 'rootfs')
  mkdirSync(rootfs)
  writeFileSync(join(rootfs, 'hello'), 'world')
  await packImage(rootfs, folder, { tags: ['mayfly.local/x:1'] })
  expect(readdirSync(folder).sort()).toEqual(['image.tar', 'rootfs'])
  await run('tar', ['-C', folder, '-xf', join(folder, 'image.tar')])
  const [manifest] = JSON.parse(await run('cat', [join(folder, 'manifest.json')]))
  const config = JSON.parse(await run('cat', [join(folder, manifest.Config)]))
  const layer = (await run('sha256sum', [join(folder, 'layer.tar')])).split(' ')[0]
  expect(config.rootfs.diff_ids).toEqual([`sha256:${layer}`])
  expect(await run('tar', ['-xOf', join(folder, 'layer.tar'), './hello'])).toBe('world')
  rmSync(folder, { recursive: true })
})
