import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { crc32, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { type Header, pack } from 'tar-stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { unpackArchive } from './unpack.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-unpack-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

type Part = Partial<Header> & { name: string; text?: string }

/** A tar of these entries, however hostile. */
async function tar(...parts: Part[]): Promise<Buffer> {
  const packing = pack()
  for (const { text = '', ...header } of parts) packing.entry(header, text)
  packing.finalize()
  return buffer(packing as unknown as NodeJS.ReadableStream)
}

/** Unpacks what is given; answers the folder that the project begins in. */
async function unpack(content: Buffer, limits?: { maxBytes: number; maxEntries: number }): Promise<string> {
  const file = join(folder, 'file')
  const out = join(folder, 'out')
  writeFileSync(file, content)
  mkdirSync(out)
  return join(out, await unpackArchive(file, out, new AbortController().signal, limits))
}

/** A zip with one deflated entry; `claimed` is the size that it says it has. */
function zipWith(name: string, content: string, mode = 0o100644, claimed = content.length): Buffer {
  const data = deflateRawSync(content)
  const common = Buffer.alloc(26)
  common.writeUInt16LE(20, 0)
  common.writeUInt16LE(8, 4)
  common.writeUInt32LE(crc32(content), 10)
  common.writeUInt32LE(data.length, 14)
  common.writeUInt32LE(claimed, 18)
  common.writeUInt16LE(name.length, 22)
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), data])
  const attributes = Buffer.alloc(14)
  attributes.writeUInt32LE((mode << 16) >>> 0, 6)
  // The upper byte of the maker's version: Unix.
  const maker = Buffer.from([20, 3])
  const central = Buffer.concat([Buffer.from('PK\x01\x02'), maker, common, attributes, Buffer.from(name)])
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(local.length, 16)
  return Buffer.concat([local, central, end])
}

describe('a good archive', () => {
  const parts: Part[] = [
    { name: 'project-1.0/', type: 'directory' },
    { name: 'project-1.0/site.yml', text: '- hosts: all\n' },
    { name: 'project-1.0/bin/run', text: '#!/bin/sh\n', mode: 0o4755 },
    { name: 'project-1.0/roles/r/tasks/main.yml', text: '[]\n' },
    { name: 'project-1.0/roles/r/link', type: 'symlink', linkname: '../../site.yml' },
    { name: 'project-1.0/copy.yml', type: 'link', linkname: 'project-1.0/site.yml' },
  ]

  test.each(['tar', 'tar.gz', 'tar.zst'])('%s: the only folder at the top is left out', async (kind) => {
    const plain = await tar(...parts)
    const root = await unpack(kind === 'tar' ? plain : kind === 'tar.gz' ? gzipSync(plain) : zstdCompressSync(plain))
    expect(readdirSync(root).sort()).toEqual(['bin', 'copy.yml', 'roles', 'site.yml'])
    expect(readFileSync(join(root, 'roles/r/link'), 'utf8')).toBe('- hosts: all\n')
    expect(readFileSync(join(root, 'copy.yml'), 'utf8')).toBe('- hosts: all\n')
    expect(lstatSync(join(root, 'copy.yml')).nlink).toBe(1)
    // Executable is kept, the set-user-id bit is not.
    expect(statSync(join(root, 'bin/run')).mode & 0o7777).toBe(0o755)
  })

  test('as the real tools make it: git, tar and zip', async () => {
    const work = join(folder, 'work/top')
    mkdirSync(join(work, 'deep'), { recursive: true })
    writeFileSync(join(work, 'site.yml'), '- hosts: all\n')
    writeFileSync(join(work, 'deep', `${'long'.repeat(60)}.txt`), 'x')
    symlinkSync('../site.yml', join(work, 'deep/link'))
    const identity = ['-c', 'user.name=T', '-c', 'user.email=t@example.org']
    const git = (...words: string[]) => execFileSync('git', [...identity, ...words], { cwd: work })
    git('init', '--quiet')
    git('add', '-A')
    git('commit', '--quiet', '-m', 'c')
    for (const format of ['tar.gz', 'zip']) {
      const made = git('archive', `--format=${format}`, '--prefix=top-abc/', 'HEAD')
      const root = await unpack(made)
      expect(readdirSync(root).sort()).toEqual(['deep', 'site.yml'])
      expect(readFileSync(join(root, 'deep/link'), 'utf8')).toBe('- hosts: all\n')
      rmSync(join(folder, 'out'), { recursive: true })
    }
    rmSync(join(work, '.git'), { recursive: true })
    const root = await unpack(execFileSync('tar', ['-cz', '.'], { cwd: work }))
    expect(readlinkSync(join(root, 'deep/link'))).toBe('../site.yml')
  })

  test('of several at the top nothing is left out, nor of a single file', async () => {
    const root = await unpack(await tar({ name: './site.yml', text: 'x' }, { name: './roles/x', text: 'x' }))
    expect(root).toBe(join(folder, 'out'))
    rmSync(join(folder, 'out'), { recursive: true })
    expect(await unpack(await tar({ name: 'site.yml', text: 'x' }))).toBe(join(folder, 'out'))
  })
})

describe('a hostile archive is refused by the name of its entry', () => {
  const evil: [string, Part[], RegExp][] = [
    ['a way up', [{ name: '../evil', text: 'x' }], /^Entry "\.\.\/evil" of the archive leads outside/],
    ['a way up in the middle', [{ name: 'a/../../evil', text: 'x' }], /"a\/\.\.\/\.\.\/evil".*leads outside/],
    ['an absolute path', [{ name: '/etc/evil', text: 'x' }], /"\/etc\/evil".*absolute path/],
    ['an absolute folder', [{ name: '/tmp/evil/', type: 'directory' }], /"\/tmp\/evil\/".*absolute path/],
    [
      'a link to an absolute path',
      [{ name: 'l', type: 'symlink', linkname: '/etc/passwd' }],
      /"l".*"\/etc\/passwd".*absolute/,
    ],
    ['a link outside', [{ name: 'a/l', type: 'symlink', linkname: '../../x' }, { name: 'f' }], /"a\/l".*outside/],
    [
      'a link that leaves the stripped folder only',
      [
        { name: 'top/l', type: 'symlink', linkname: '../top/f' },
        { name: 'top/f', text: 'x' },
      ],
      /"top\/l".*leads outside/,
    ],
    [
      'a link through a link',
      [
        { name: 'a/self', type: 'symlink', linkname: '.' },
        { name: 'a/l', type: 'symlink', linkname: 'self/../../x' },
        { name: 'f' },
      ],
      /"a\/l".*"\.\." behind a name/,
    ],
    [
      'a file behind a link',
      [{ name: 'l', type: 'symlink', linkname: 'd' }, { name: 'l/f', text: 'x' }, { name: 'd/x' }],
      /"l".*in its own way/,
    ],
    [
      'a link below a link',
      [
        { name: 'd/s', type: 'symlink', linkname: '.' },
        { name: 'd/s/l', type: 'symlink', linkname: '../x' },
        { name: 'f' },
      ],
      /"d\/s\/l".*in its own way/,
    ],
    ['a hard link outside', [{ name: 'h', type: 'link', linkname: '../../etc/passwd' }], /"h".*leads outside/],
    ['a hard link to an absolute path', [{ name: 'h', type: 'link', linkname: '/etc/passwd' }], /"h".*absolute/],
    [
      'a hard link to a link',
      [{ name: 'l', type: 'symlink', linkname: 'f' }, { name: 'h', type: 'link', linkname: 'l' }, { name: 'f' }],
      /"h".*no file before it/,
    ],
    ['a device', [{ name: 'dev/sda', type: 'block-device', devmajor: 8, devminor: 0 }], /"dev\/sda".*block device/],
    ['a character device', [{ name: 'null', type: 'character-device' }], /"null".*character device/],
    ['a pipe', [{ name: 'p', type: 'fifo' }], /"p".*named pipe/],
    [
      'the same file twice',
      [
        { name: 'f', text: 'x' },
        { name: './f', text: 'y' },
      ],
      /"\.\/f".*twice/,
    ],
    [
      'a file as a folder',
      [
        { name: 'f', text: 'x' },
        { name: 'f/g', text: 'y' },
      ],
      /"f\/g".*in its own way/,
    ],
    ['a name that no disk takes', [{ name: `${'n'.repeat(300)}/x`, text: 'x' }], /too long a name/],
    ['a path that no disk takes', [{ name: 'deep/'.repeat(1000), type: 'directory' }], /too long a name/],
    ['a link to a long name', [{ name: 'l', type: 'symlink', linkname: 'x/'.repeat(2000) }], /is no path/],
    ['nothing', [], /archive is empty/],
  ]
  test.each(evil)('%s', async (_what, parts, message) => {
    const before = existsSync(join(folder, 'evil'))
    await expect(unpack(gzipSync(await tar(...parts)))).rejects.toThrow(message)
    expect([before, existsSync(join(folder, 'evil'))]).toEqual([false, false])
  })

  test.each([
    ['../evil', 'x', 0o100644, /"\.\.\/evil".*leads outside/],
    ['/etc/evil', 'x', 0o100644, /absolute path/],
    ['..\\evil', 'x', 0o100644, /leads outside/],
    ['l', '../../etc/passwd', 0o120777, /"l".*"\.\.\/\.\.\/etc\/passwd".*outside/],
    ['p', '', 0o010644, /"p".*neither a file/],
  ])('zip: %s', async (name, content, mode, message) => {
    await expect(unpack(zipWith(name, content, mode))).rejects.toThrow(message)
  })

  test('bombs end at the limit, by what really comes out', async () => {
    const limits = { maxBytes: 100_000, maxEntries: 10 }
    const zeros = '0'.repeat(200_000)
    const big = { name: 'top/big', text: zeros }
    for (const made of [gzipSync(await tar(big)), zipWith('top/big', zeros)]) {
      await expect(unpack(made, limits)).rejects.toThrow(/more than 100000 bytes.*"top\/big"/)
      rmSync(join(folder, 'out'), { recursive: true })
    }
    const many = Array.from({ length: 11 }, (_, index) => ({ name: `f${index}` }))
    await expect(unpack(await tar(...many), limits)).rejects.toThrow('more than 10 entries')
    rmSync(join(folder, 'out'), { recursive: true })
    // Copies of one file by hard links.
    const copies = [1, 2, 3].map((index) => ({ name: `h${index}`, type: 'link' as const, linkname: 'f' }))
    const file = { name: 'f', text: '0'.repeat(40_000) }
    await expect(unpack(await tar(file, ...copies), limits)).rejects.toThrow(/limit is reached at entry "h2"/)
    rmSync(join(folder, 'out'), { recursive: true })
    // Endless padding behind the end of the archive.
    const padded = Buffer.concat([await tar({ name: 'f', text: 'x' }), Buffer.alloc(2_000_000)])
    await expect(unpack(gzipSync(padded), limits)).rejects.toThrow('more than 100000 bytes')
  })

  test('an entry that lies about its size, damage and other things are no archive', async () => {
    const good = gzipSync(await tar({ name: 'f', text: randomBytes(5000).toString('hex') }))
    const zip = zipWith('f', 'x'.repeat(500), 0o100644, 5)
    const cases: [Buffer, RegExp][] = [
      [zip, /cannot be read: .*too many bytes/],
      [good.subarray(0, good.length / 2), /cannot be read/],
      [Buffer.from('<html>not found</html>'), /neither a tar nor a zip archive/],
      [Buffer.from('BZh91AY&SY'), /bzip2.*\.tar\.gz/],
      [Buffer.alloc(0), /neither a tar/],
      [gzipSync(Buffer.from('text')), /cannot be read/],
    ]
    for (const [content, message] of cases) {
      await expect(unpack(content)).rejects.toThrow(message)
      rmSync(join(folder, 'out'), { recursive: true })
    }
  })
})
