import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { repairCertificates } from './ca-certificate.ts'

const pem = new X509Certificate(rootCertificates[0] ?? '').toString()
const repair = (text: string) => repairCertificates(text, (certificate) => new X509Certificate(certificate))
const key = () =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

describe('a certificate authority', () => {
  test.each<[string, (pem: string) => string]>([
    ['as it is', (text) => text],
    ['without last newline', (text) => text.trim()],
    ['with Windows line ends', (text) => text.replaceAll('\n', '\r\n')],
    ['with \\n as two characters', (text) => text.replaceAll('\n', '\\n')],
    ['with \\r\\n as four characters', (text) => text.replaceAll('\n', '\\r\\n')],
    ['with spaces in place of line breaks', (text) => text.replaceAll('\n', ' ')],
    ['on one line', (text) => text.replaceAll('\n', '')],
    ['indented', (text) => text.replaceAll('\n', '\n    ')],
    ['in base64, as in a kubeconfig', (text) => Buffer.from(text).toString('base64')],
    ['in wrapped base64', (text) => Buffer.from(text).toString('base64').replace(/.{76}/g, '$&\n')],
    ['with words around it', (text) => `subject=CN = ca\n${text}\nthe end`],
  ])('%s is repaired', (_name, damage) => expect(repair(damage(pem))).toBe(pem))

  test('a chain is kept', () => expect(repair(pem + pem.replaceAll('\n', ' '))).toBe(pem + pem))

  test.each<[string, (pem: string) => string, RegExp]>([
    ['cut off', (text) => text.slice(0, 200), /cut off/],
    ['not PEM', () => 'not a certificate!', /not in PEM form/],
    ['a key', key, /PRIVATE KEY instead of a certificate/],
    ['damaged', (text) => text.replace(/[A-Za-z]{20}/, 'AAAAAAAAAAAAAAAAAAAA'), /damaged/],
    ['a damaged second one', (text) => text + text.replace(/\n[A-Za-z0-9+/]{64}/, ''), /number 2 is damaged/],
  ])('%s is named', (_name, damage, message) => {
    expect(() => repair(damage(pem))).toThrow(message)
    expect(() => repair(damage(pem))).toThrow(expect.objectContaining({ name: 'InvalidCertificateError' }))
  })
})
