/** The programs built from Go modules: Temporal's CLI with its server, etcd, Kubernetes, and the pause program. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Build, cached, cachedFolder, type Progress } from './cache.ts'
import { locked } from './lock.ts'
import { canInstall, ensurePackages } from './packages.ts'
import { run, which } from './run.ts'

/** The newest version that `go install` takes; 1.6 has a replace directive in its go.mod. */
const temporalVersion = '1.5.1'

/** Fetched as a Go module when the machine's own Go is too old. */
const toolchainVersion = '1.25.8'
const oldestGo: [number, number] = [1, 25]
const kubernetesNames = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kubectl']

/** The Kubernetes version that the module in `dev/kubernetes` asks for. */
function kubernetesVersion(): string {
  const version = /k8s\.io\/kubernetes (v\S+)/.exec(source('kubernetes', 'go.mod'))?.[1]
  if (!version) throw new Error('dev/kubernetes/go.mod requires no k8s.io/kubernetes')
  return version
}

function source(room: string, file: string): string {
  return readFileSync(join(import.meta.dirname, room, file), 'utf8')
}

/** A build of one of our own small modules, compiled in a copy so that the checkout may be read-only. */
function moduleBuild(
  name: string,
  room: string,
  takes: string,
  output: string,
  target: string,
  ldflags: string,
): Build {
  const files = readdirSync(join(import.meta.dirname, room)).filter((file) => /\.(go|mod|sum)$/.test(file))
  return {
    name,
    inputs: [process.arch, ldflags, target, ...files.flatMap((file) => [file, source(room, file)])],
    takes,
    async make(folder, log) {
      const work = join(folder, 'src')
      mkdirSync(work)
      for (const file of files) copyFileSync(join(import.meta.dirname, room, file), join(work, file))
      const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', ldflags, '-o', join(folder, output), target]
      await goRun(args, { cwd: work, log })
      if (name === 'kubernetes') for (const link of kubernetesNames) symlinkSync(output, join(folder, link))
    },
  }
}

/** etcd alone. */
export function etcdBuild(): Build {
  return moduleBuild('etcd', 'etcd', 'about 30 s', 'etcd', 'go.etcd.io/etcd/server/v3', '-s -w')
}

/** All of Kubernetes that one node needs, as one program with five names. */
export function kubernetesBuild(): Build {
  const version = kubernetesVersion()
  const [major, minor] = version.slice(1).split('.')
  const set = (key: string, value: string): string => `-X k8s.io/component-base/version.${key}=${value}`
  const ldflags = [
    '-s -w',
    set('gitVersion', version),
    set('gitMajor', major ?? ''),
    set('gitMinor', minor ?? ''),
    set('gitTreeState', 'clean'),
  ].join(' ')
  return moduleBuild('kubernetes', 'kubernetes', 'about 5 min', 'kubernetes', '.', ldflags)
}

/** The process that holds a pod's namespaces. */
export function pauseBuild(): Build {
  return moduleBuild('pause', 'pause', 'a few seconds', 'pause', '.', '-s -w')
}

/** Temporal's CLI, which embeds the server and its UI. */
export function temporalBuild(): Build {
  return {
    name: 'temporal',
    inputs: [process.arch, temporalVersion],
    takes: 'about 3 min',
    async make(folder, log) {
      const env = { GOBIN: folder }
      await goRun(
        ['install', '-trimpath', '-ldflags', '-s -w', `github.com/temporalio/cli/cmd/temporal@v${temporalVersion}`],
        { cwd: folder, log, env },
      )
    },
  }
}

/** Builds one after the other: each of them alone keeps every core busy. */
export async function goBuild(build: Build, progress: Progress): Promise<string> {
  const folder = cachedFolder(build)
  if (existsSync(folder)) return folder
  return locked(
    'go-build',
    () => progress(`${build.name}: waits for another build`),
    () => cached(build, progress),
  )
}

async function goRun(args: string[], options: { cwd: string; log: string; env?: NodeJS.ProcessEnv }): Promise<void> {
  const go = await goProgram()
  // A workspace or vendor setting of the developer's must not leak into these builds.
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '', ...options.env }
  await run(go, args, { cwd: options.cwd, log: options.log, env, seconds: 3600 })
}

/** Whether the text of `go version` names a Go that can build everything here. */
export function goIsRecent(version: string): boolean {
  const match = /go(\d+)\.(\d+)/.exec(version)
  const [major, minor] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)]
  return major > oldestGo[0] || (major === oldestGo[0] && minor >= oldestGo[1])
}

/** A Go that is recent enough: the machine's, else one fetched through Go's own module proxy. */
export async function goProgram(): Promise<string> {
  const own = which('go')
  if (own && goIsRecent(await run(own, ['version']))) return own
  const fetched = await cached(toolchainBuild(own), () => {})
  return join(fetched, 'go', 'bin', 'go')
}

/**
 * Go publishes its toolchains as a module, so a Go of any age can download a recent one, checksum and all.
 * From 1.21 on Go would do that by itself; Debian 12 has 1.19, which can only be told to.
 */
function toolchainBuild(old: string | undefined): Build {
  const platform = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`
  const module = `golang.org/toolchain@v0.0.1-go${toolchainVersion}.${platform}`
  return {
    name: 'go',
    inputs: [module],
    takes: 'about 30 s',
    async make(folder, log) {
      if (!old && !canInstall())
        throw new Error(`Go ${oldestGo.join('.')} or newer is missing; install it, or run as root on Debian`)
      if (!old) await ensurePackages([{ name: 'golang-go', present: () => which('go') !== undefined }], () => {})
      const env = { ...process.env, GOMODCACHE: join(folder, 'mod'), GOFLAGS: '-modcacherw', GOTOOLCHAIN: 'local' }
      const answer = await run(old ?? 'go', ['mod', 'download', '-json', module], {
        cwd: folder,
        env,
        log,
        seconds: 600,
      })
      const { Dir: unpacked } = JSON.parse(answer) as { Dir: string }
      // Module files lose their executable bit; a Go that fetches a toolchain by itself restores it like this.
      for (const programs of ['bin', `pkg/tool/${platform.replace('-', '_')}`]) {
        for (const file of readdirSync(join(unpacked, programs))) chmodSync(join(unpacked, programs, file), 0o755)
      }
      symlinkSync(unpacked.slice(folder.length + 1), join(folder, 'go'))
    },
  }
}
