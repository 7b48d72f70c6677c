/** A certificate for 127.0.0.1 with an authority of its own, made by openssl as the stack's are. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** In PEM form. */
export interface ProxyCertificate {
  ca: string
  cert: string
  key: string
}

/** Makes an authority and a certificate that it signs; the authority's key is forgotten. */
export async function makeCertificate(): Promise<ProxyCertificate> {
  const folder = await mkdtemp(join(tmpdir(), 'mayfly-proxy-'))
  const openssl = (...args: string[]) => promisify(execFile)('openssl', args, { cwd: folder })
  try {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    await openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=test', '-keyout', 'ca.key', '-out', 'ca.crt')
    await openssl('req', ...key, '-subj', '/CN=127.0.0.1', '-keyout', 'leaf.key', '-out', 'leaf.csr')
    const usage = 'keyUsage=digitalSignature\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n'
    await writeFile(join(folder, 'leaf.ext'), `${usage}subjectAltName=IP:127.0.0.1\n`)
    const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'leaf.ext']
    await openssl('x509', '-req', '-in', 'leaf.csr', '-out', 'leaf.crt', ...signer)
    const read = (name: string) => readFile(join(folder, name), 'utf8')
    return { ca: await read('ca.crt'), cert: await read('leaf.crt'), key: await read('leaf.key') }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
