/** The execution environment: an image with Debian, Python, Ansible and ansible-runner. Its content follows from this file. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ansiblePackages, pythonWithPip } from './ansible.ts'
import { cached, inputsHash, type Progress } from './cache.ts'
import { imageArchitecture, packImage } from './docker-archive.ts'
import type { BuiltImage } from './images.ts'
import { ensurePackages, imagePackages } from './packages.ts'
import { run } from './run.ts'

const suite = 'bookworm'
/** The suite's Python; the wheels in the image are chosen for it. */
const imagePython = '3.11'
const debianPackages = [
  'python3',
  'git',
  'openssh-client',
  'openssh-server',
  'ca-certificates',
  'tini',
  'procps',
  'sshpass',
  'coreutils',
]
const needless = [
  'usr/share/doc',
  'usr/share/man',
  'usr/share/info',
  'usr/share/locale',
  'usr/share/lintian',
  'usr/share/bash-completion',
  'var/cache/apt',
  'var/cache/debconf',
  'var/lib/apt/lists',
  'var/log',
  'opt/ansible/ansible_test',
  'opt/ansible/bin',
]
const wrappers: Record<string, string> = {
  ansible: 'ansible adhoc',
  'ansible-config': 'ansible config',
  'ansible-doc': 'ansible doc',
  'ansible-galaxy': 'ansible galaxy',
  'ansible-inventory': 'ansible inventory',
  'ansible-playbook': 'ansible playbook',
  'ansible-vault': 'ansible vault',
  'ansible-runner': 'ansible_runner',
}

/** Builds the execution environment: Debian, Python, Ansible and ansible-runner. */
export async function buildExecutionEnvironment(progress: Progress): Promise<BuiltImage> {
  await ensurePackages(imagePackages, progress)
  const recipe = readFileSync(join(import.meta.dirname, 'execution-environment.ts'), 'utf8')
  const inputs = [imageArchitecture(), recipe, ...ansiblePackages]
  const reference = `mayfly.local/ee:${inputsHash(inputs)}`
  const folder = await cached(
    {
      name: 'execution-environment',
      inputs,
      takes: 'about 2 min',
      async make(target, log) {
        const rootfs = join(target, 'rootfs')
        try {
          await debian(rootfs, log)
          await ansible(rootfs, log, progress)
          await trim(rootfs)
          const env = ['LANG=C.UTF-8']
          await packImage(rootfs, target, { tags: [reference, 'mayfly.local/ee:latest'], env, command: ['/bin/bash'] })
        } finally {
          // Not by Node: a failed debootstrap can leave /proc mounted in there.
          await run('sh', [
            '-c',
            'for m in proc sys dev/pts; do umount -l "$0/$m" 2>/dev/null; done; rm -rf "$0"',
            rootfs,
          ])
        }
      },
    },
    progress,
  )
  return { archive: join(folder, 'image.tar'), reference }
}

async function debian(rootfs: string, log: string): Promise<void> {
  const args = ['--variant=minbase', `--include=${debianPackages.join(',')}`, suite, rootfs]
  const mirror = hostMirror()
  await run('debootstrap', mirror ? [...args, mirror] : args, { log, seconds: 1200 })
  // sshd looks for it before it drops its rights, and nobody runs tmpfiles in a container.
  mkdirSync(join(rootfs, 'run/sshd'), { recursive: true, mode: 0o755 })
  // pam_loginuid needs a right that containers do not have, and "required" would end every login.
  await run('sed', [
    '-i',
    's/^session\\s*required\\s*pam_loginuid/session optional pam_loginuid/',
    join(rootfs, 'etc/pam.d/sshd'),
  ])
}

/** The archive that the machine itself installs from, if it is Debian; else debootstrap's own choice. */
function hostMirror(): string | undefined {
  const files = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list']
  for (const file of files.filter((one) => existsSync(one))) {
    const mirror = /^(?:URIs:\s*|deb\s+(?:\[[^\]]*\]\s*)?)(https?:\S+\/debian\/?)(?:\s|$)/m.exec(
      readFileSync(file, 'utf8'),
    )?.[1]
    if (mirror) return mirror
  }
  return undefined
}

async function ansible(rootfs: string, log: string, progress: Progress): Promise<void> {
  const python = await pythonWithPip(progress)
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
  const platforms = ['manylinux2014', 'manylinux_2_28'].flatMap((tag) => ['--platform', `${tag}_${machine}`])
  const target = ['--target', join(rootfs, 'opt/ansible'), '--python-version', imagePython, '--only-binary=:all:']
  const args = ['-m', 'pip', 'install', '-q', '--no-compile', ...target, ...platforms, ...ansiblePackages]
  await run(python.program, args, { log, seconds: 900 })
  writeFileSync(join(rootfs, 'usr/lib/python3/dist-packages/ansible.pth'), '/opt/ansible\n')
  for (const [name, module] of Object.entries(wrappers)) {
    const file = join(rootfs, 'usr/local/bin', name)
    writeFileSync(file, `#!/bin/sh\nexec /usr/bin/python3 -m ${module} "$@"\n`, { mode: 0o755 })
  }
}

async function trim(rootfs: string): Promise<void> {
  for (const path of needless) rmSync(join(rootfs, path), { recursive: true, force: true })
  // Programs expect their log folder, and sshd writes to it.
  mkdirSync(join(rootfs, 'var/log'), { recursive: true })
  // Compiled by the image's own Python. Unchecked: nothing there changes, so no import has to look at the source.
  const compile = ['-m', 'compileall', '-q', '-j', '0', '--invalidation-mode', 'unchecked-hash', '/opt/ansible']
  await run('chroot', [rootfs, '/usr/bin/python3', ...compile], { seconds: 600 })
}
