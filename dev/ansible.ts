/** Ansible on the control plane: project updates and galaxy downloads run here, not in a pod. */
import { delimiter, join } from 'node:path'
import { type Build, cached, cachedFolder, type Progress } from './cache.ts'
import { canInstall, ensurePackages } from './packages.ts'
import { run, which } from './run.ts'

/** The versions in the execution environment and on the control plane alike. */
export const ansiblePackages = ['ansible-core==2.19.14', 'ansible-runner==2.4.3']

/** Commands of Ansible on this machine; `env` is to be added to the environment they run in. */
export interface ControlPlaneAnsible {
  galaxy: string[]
  playbook: string[]
  inventory: string[]
  runner: string[]
  env: Record<string, string>
}

/** A Python interpreter of the machine. */
export interface Python {
  program: string
  version: string
}

/** Whether this version of Python runs the Ansible we use. */
export function pythonIsRecent(version: string): boolean {
  const [major, minor] = version.split('.').map(Number)
  return major === 3 && (minor ?? 0) >= 11
}

/** A Python with pip: the first that is recent enough for Ansible, else the first of any version. */
export async function findPython(): Promise<Python | undefined> {
  const names = ['python3', '/usr/bin/python3', 'python3.13', 'python3.12', 'python3.11']
  const found: Python[] = []
  for (const name of names) {
    const start = name.startsWith('/') ? name : which(name)
    if (!start) continue
    try {
      // The interpreter's own path: a version manager's stand-in gives another Python in another folder.
      const ask = 'import sys,platform;print(sys.executable);print(platform.python_version())'
      const [program = '', version = ''] = (await run(start, ['-c', ask])).trim().split('\n')
      await run(program, ['-m', 'pip', '--version'])
      found.push({ program, version })
      if (pythonIsRecent(version)) break
    } catch {
      // Not this one.
    }
  }
  return found.find(({ version }) => pythonIsRecent(version)) ?? found[0]
}

/** A Python with pip, of any version: enough to fetch packages for another one. */
export async function pythonWithPip(progress: Progress): Promise<Python> {
  const found = await findPython()
  if (found) return found
  if (canInstall())
    await ensurePackages([{ name: 'python3-pip', present: () => which('pip3') !== undefined }], progress)
  const installed = await findPython()
  if (!installed) throw new Error('no Python with pip; on Debian: apt-get install python3-pip')
  return installed
}

function hostBuild(python: Python): Build {
  return {
    name: 'ansible',
    inputs: [python.program, python.version, process.arch, ...ansiblePackages],
    takes: 'about 20 s',
    async make(folder, log) {
      const args = ['-m', 'pip', 'install', '-q', '--no-warn-script-location', '--target', folder, ...ansiblePackages]
      await run(python.program, args, { log, seconds: 900 })
    },
  }
}

let prepared: Promise<ControlPlaneAnsible> | undefined

/** Ansible for the machine's own Python, fetched into the cache on first use. */
export function controlPlaneAnsible(progress: Progress = () => {}): Promise<ControlPlaneAnsible> {
  // Finding the Python takes most of a second, and every project update asks.
  prepared ??= prepare(progress).catch((error: unknown) => {
    prepared = undefined
    throw error
  })
  return prepared
}

async function prepare(progress: Progress): Promise<ControlPlaneAnsible> {
  const python = await pythonWithPip(progress)
  if (!pythonIsRecent(python.version)) {
    throw new Error(`Ansible needs Python 3.11 or newer with pip, and ${python.program} is ${python.version}`)
  }
  return ansibleCommands(python.program, await cached(hostBuild(python), progress))
}

/** Where Ansible for the machine's own Python is or would be; undefined without a recent Python with pip. */
export async function controlPlaneAnsibleFolder(): Promise<string | undefined> {
  const python = await findPython()
  return python && pythonIsRecent(python.version) ? cachedFolder(hostBuild(python)) : undefined
}

/** The commands for packages that lie in `folder`. */
export function ansibleCommands(python: string, folder: string): ControlPlaneAnsible {
  return {
    galaxy: [python, '-m', 'ansible', 'galaxy'],
    playbook: [python, '-m', 'ansible', 'playbook'],
    inventory: [python, '-m', 'ansible', 'inventory'],
    runner: [python, '-m', 'ansible_runner'],
    env: {
      PYTHONPATH: folder,
      // ansible-runner calls `ansible-playbook` by name; pip put it there, together with its Python.
      PATH: [join(folder, 'bin'), process.env.PATH ?? ''].join(delimiter),
      // Ansible refuses to run in a locale without UTF-8.
      LC_ALL: 'C.UTF-8',
    },
  }
}
