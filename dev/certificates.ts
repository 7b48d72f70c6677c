/** Certificates of the one-node cluster: one authority, one leaf per program, made once per stack by openssl. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './run.ts'

interface Leaf {
  file: string
  commonName: string
  organization?: string
  /** Subject alternative names, for servers. */
  names?: string[]
}

const days = '3650'

/** Makes all certificates and keys in `folder` that are not there yet. */
export async function makeCertificates(folder: string, node: string, nodeAddress: string): Promise<void> {
  if (existsSync(join(folder, 'complete'))) return
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const authority = [
    'req',
    '-x509',
    ...key,
    '-days',
    days,
    '-subj',
    '/CN=mayfly-dev',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
  ]
  await openssl(folder, authority)
  // Kubernetes signs service account tokens with this pair; it has nothing to do with the authority.
  await openssl(folder, ['genrsa', '-out', 'service-account.key', '2048'])
  await openssl(folder, ['rsa', '-in', 'service-account.key', '-pubout', '-out', 'service-account.pub'])
  for (const leaf of leaves(node, nodeAddress)) await makeLeaf(folder, leaf, key)
  writeFileSync(join(folder, 'complete'), '')
}

function leaves(node: string, nodeAddress: string): Leaf[] {
  const kubernetes = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ]
  const local = ['DNS:localhost', 'IP:127.0.0.1']
  return [
    {
      file: 'apiserver',
      commonName: 'kube-apiserver',
      names: [...local, ...kubernetes.map((name) => `DNS:${name}`), 'IP:10.96.0.1', `IP:${nodeAddress}`],
    },
    { file: 'kubelet', commonName: node, names: [...local, `DNS:${node}`, `IP:${nodeAddress}`] },
    // The control plane's two helpers serve only their health and metrics.
    { file: 'local', commonName: 'localhost', names: local },
    { file: 'admin', commonName: 'mayfly-admin', organization: 'system:masters' },
    { file: 'apiserver-to-kubelet', commonName: 'kube-apiserver-kubelet-client', organization: 'system:masters' },
    { file: 'controller-manager', commonName: 'system:kube-controller-manager' },
    { file: 'scheduler', commonName: 'system:kube-scheduler' },
    { file: 'node', commonName: `system:node:${node}`, organization: 'system:nodes' },
  ]
}

async function makeLeaf(folder: string, leaf: Leaf, key: string[]): Promise<void> {
  const organization = leaf.organization ? `/O=${leaf.organization}` : ''
  const subject = ['-subj', `${organization}/CN=${leaf.commonName}`]
  await openssl(folder, ['req', ...key, ...subject, '-keyout', `${leaf.file}.key`, '-out', `${leaf.file}.csr`])
  const usage = leaf.names ? 'serverAuth' : 'clientAuth'
  const names = leaf.names ? `subjectAltName=${leaf.names.join(',')}\n` : ''
  const extensions = `keyUsage=digitalSignature\nextendedKeyUsage=${usage}\nbasicConstraints=CA:FALSE\n${names}`
  writeFileSync(join(folder, `${leaf.file}.ext`), extensions)
  const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', days]
  const files = ['-in', `${leaf.file}.csr`, '-out', `${leaf.file}.crt`, '-extfile', `${leaf.file}.ext`]
  await openssl(folder, ['x509', '-req', ...files, ...signer])
}

async function openssl(folder: string, args: string[]): Promise<void> {
  await run('openssl', args, { cwd: folder })
}
