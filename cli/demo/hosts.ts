/** The demo's hosts: pods that run an ssh server and nothing else. */
import { until } from '../../dev/wait.ts'
import type { Cluster } from '../../kubernetes/cluster.ts'
import type { Pod } from '../../kubernetes/objects.ts'

const label = 'app.kubernetes.io/part-of'
const owner = 'mayfly-demo'

/** A running host. */
export interface DemoHost {
  name: string
  pod: string
  address: string
}

const script = `set -e
command -v sshd >/dev/null || { echo "this image has no sshd" >&2; exit 1; }
mkdir -p ~/.ssh /run/sshd
printf '%s\\n' "$AUTHORIZED_KEY" > ~/.ssh/authorized_keys
chmod -R go= ~/.ssh
ssh-keygen -A
# On a busy machine logins pile up, and last: none is turned away for that.
exec "$(command -v sshd)" -D -e -o PasswordAuthentication=no -o MaxStartups=100 -o LoginGraceTime=0`

/** Hosts that take logins by ssh: pods of the demo. */
export class DemoHosts {
  readonly #cluster: Cluster
  readonly #namespace: string
  readonly #image: string

  constructor(cluster: Cluster, namespace: string, image: string) {
    this.#cluster = cluster
    this.#namespace = namespace
    this.#image = image
  }

  /** Starts a host for each name, fresh ones if a demo before left some; resolves when all of them take logins. */
  async start(names: string[], authorizedKey: string): Promise<DemoHost[]> {
    await this.remove()
    await Promise.all(names.map((name) => this.#create(name, authorizedKey)))
    return await Promise.all(names.map((name) => this.#ready(name)))
  }

  /** What a command in a host's pod prints. */
  async run(host: DemoHost, command: string): Promise<string> {
    const session = await this.#cluster.exec(this.#namespace, host.pod, 'host', ['sh', '-c', command])
    const pieces: Buffer[] = []
    for await (const piece of session.stdout) pieces.push(piece)
    await session.result
    return Buffer.concat(pieces).toString()
  }

  /** Deletes every host of a demo and waits until they are gone. */
  async remove(): Promise<void> {
    const pods = () => this.#cluster.listPods(this.#namespace, `${label}=${owner}`)
    for (const { metadata } of await pods()) {
      await this.#cluster.deletePod(this.#namespace, metadata.name, { graceSeconds: 0 })
    }
    await until({ what: 'the hosts to be gone', seconds: 180 }, async () => (await pods()).length === 0)
  }

  async #create(name: string, authorizedKey: string): Promise<void> {
    const container = {
      name: 'host',
      image: this.#image,
      imagePullPolicy: 'IfNotPresent',
      command: ['sh', '-c', script],
      env: [{ name: 'AUTHORIZED_KEY', value: authorizedKey }],
      readinessProbe: { tcpSocket: { port: 22 }, periodSeconds: 1, failureThreshold: 60 },
      resources: { requests: { cpu: '20m', memory: '32Mi' } },
    }
    const manifest = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: podName(name), labels: { [label]: owner } },
      spec: { restartPolicy: 'Never', automountServiceAccountToken: false, hostname: name, containers: [container] },
    }
    await this.#cluster.createPod(this.#namespace, manifest)
  }

  async #ready(name: string): Promise<DemoHost> {
    const pod = podName(name)
    let latest: Pod | undefined
    const giveUp = () => {
      const phase = latest?.status?.phase
      if (phase === 'Failed' || phase === 'Succeeded')
        throw new Error(`host ${name} ended: does ${this.#image} have sshd?`)
    }
    const address = await until(
      { what: `host ${name} to take logins`, seconds: 300, everyMs: 100, giveUp },
      async () => {
        latest = await this.#cluster.getPod(this.#namespace, pod)
        const ready = latest.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
        return ready ? (latest.status as { podIP?: string }).podIP : undefined
      },
    )
    return { name, pod, address }
  }
}

function podName(host: string): string {
  return `mayfly-demo-${host}`
}
