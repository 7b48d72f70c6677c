/** What the tests of the Kubernetes room have for themselves: a namespace, a cluster client through a proxy that can be cut, and pods. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { type Cluster, openCluster } from '../../kubernetes/cluster.ts'
import { readKubeconfig } from '../../kubernetes/kubeconfig.ts'
import type { SpooledPod } from '../../kubernetes/pod-talk.ts'
import { wrapperArgs } from '../../kubernetes/scripts.ts'
import { effectiveManifest } from '../../model/pod-template-manifest.ts'
import type { ManifestInput } from '../../model/pod-template-types.ts'
import { buildPayload, type Payload } from '../../runner/payload.ts'
import { testJob } from '../../runner/testing.ts'
import { ownKubernetesNamespace, stackTarget, Undo } from '../setup/own-places.ts'
import type { TestStack } from '../setup/stack.ts'
import { CutProxy } from './cut-proxy.ts'

/** A namespace of its own on the real cluster, also reached through a proxy that can be cut. */
export class Place {
  readonly stack: TestStack
  readonly namespace: string
  readonly undo = new Undo()
  /** Straight to the API server, as administrator. */
  readonly cluster: Cluster
  /** The same through `proxy`. */
  readonly viaProxy: Cluster
  readonly proxy: CutProxy
  #pods = 0

  private constructor(stack: TestStack, namespace: string, proxy: CutProxy, folder: string) {
    this.stack = stack
    this.namespace = namespace
    this.proxy = proxy
    this.cluster = openCluster(stackTarget(stack))
    this.viaProxy = openCluster({ kind: 'kubeconfig', path: proxiedKubeconfig(stack, proxy, folder) })
    this.undo.add(async () => {
      this.cluster.close()
      this.viaProxy.close()
      rmSync(folder, { recursive: true })
    })
  }

  static async open(stack: TestStack, name: string): Promise<Place> {
    const { url } = readKubeconfig(stackTarget(stack))
    const proxy = await CutProxy.start(url.hostname, Number(url.port || 443))
    const place = new Place(stack, name, proxy, mkdtempSync(join(tmpdir(), 'mayfly-place-')))
    place.undo.add(() => proxy.stop())
    await ownKubernetesNamespace(stack, name, place.undo)
    return place
  }

  manifest(override = '', more: Partial<ManifestInput> = {}) {
    return effectiveManifest({
      override,
      image: this.stack.image,
      pull: 'missing',
      defaultNamespace: this.namespace,
      name: `pod-${++this.#pods}`,
      labels: { 'mayfly.dev/test': 'yes' },
      annotations: {},
      args: wrapperArgs(),
      activeDeadlineSeconds: 600,
      ...more,
    })
  }

  async pod(override = '', more: Partial<ManifestInput> = {}): Promise<SpooledPod> {
    const { metadata } = await this.cluster.createPod(this.namespace, this.manifest(override, more))
    return { namespace: this.namespace, name: metadata.name, uid: metadata.uid }
  }

  /** Output of a shell script in a pod's worker. */
  async shell(pod: SpooledPod, script: string): Promise<string> {
    const session = await this.cluster.exec(pod.namespace, pod.name, 'worker', ['sh', '-c', script])
    let output = ''
    for await (const chunk of session.stdout) output += chunk
    await session.result
    return output.trim()
  }

  /** What the runner gets for a play of these tasks on one host, the pod itself. */
  async payload(tasks: object[]): Promise<Payload> {
    const folder = mkdtempSync(join(tmpdir(), 'mayfly-project-'))
    this.undo.add(async () => rmSync(folder, { recursive: true }))
    mkdirSync(join(folder, 'roles'))
    writeFileSync(join(folder, 'site.yml'), stringify([{ hosts: 'all', gather_facts: false, tasks }]))
    return buildPayload(testJob({ projectFolder: folder }))
  }
}

/** The stack's kubeconfig with the proxy's address and the server's own name for its certificate. */
function proxiedKubeconfig(stack: TestStack, proxy: CutProxy, folder: string): string {
  const { url, tls } = readKubeconfig(stackTarget(stack))
  const base64 = (text: string | undefined) => (text ? Buffer.from(text, 'latin1').toString('base64') : undefined)
  const path = join(folder, 'kubeconfig')
  const config = {
    'current-context': 'proxied',
    contexts: [{ name: 'proxied', context: { cluster: 'proxied', user: 'proxied' } }],
    clusters: [
      {
        name: 'proxied',
        cluster: {
          server: `https://127.0.0.1:${proxy.port}`,
          'tls-server-name': url.hostname === '127.0.0.1' ? 'kubernetes' : url.hostname,
          'certificate-authority-data': base64(tls.ca),
        },
      },
    ],
    users: [
      {
        name: 'proxied',
        user: { 'client-certificate-data': base64(tls.cert), 'client-key-data': base64(tls.key) },
      },
    ],
  }
  writeFileSync(path, stringify(config), { mode: 0o600 })
  return path
}
