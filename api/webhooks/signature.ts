import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { WebhookService } from '../../model/webhooks.ts'

/** Whether a delivery proves that its sender knows the key. Takes the same time wherever a difference is. */
export function isSignedBy(service: WebhookService, key: string, headers: Headers, body: Buffer): boolean {
  if (key === '') return false
  if (service === 'gitlab') return same(headers.get('X-Gitlab-Token') ?? '', key)
  // GitHub sends both; the stronger one counts.
  const signature = headers.get('X-Hub-Signature-256') ?? headers.get('X-Hub-Signature') ?? ''
  const [algorithm = '', digest = ''] = signature.split('=')
  if (algorithm !== 'sha1' && algorithm !== 'sha256') return false
  return same(digest.toLowerCase(), createHmac(algorithm, key).update(body).digest('hex'))
}

/** Compares texts of any length: of equal hashes, so that neither content nor length shows in the time. */
export function same(given: string, expected: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(expected))
}
