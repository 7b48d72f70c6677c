import { isatty } from 'node:tty'
import { destination, type Logger, pino, stdSerializers } from 'pino'
import type { Settings } from './settings.ts'

/** Keys whose values never reach a log, whoever passes them: a last net, since nobody should. */
const secretKeys = ['password', 'token', 'authorization', 'secret', 'bearer_token', 'ssh_key_data', 'env', 'inputs']
const redact = { paths: secretKeys.flatMap((key) => [key, `*.${key}`]), censor: '[redacted]' }

/** Logs to stderr: a JSON document a line, or on a terminal a line for people. */
export function createLogger({ logLevel, logFormat }: Pick<Settings, 'logLevel' | 'logFormat'>): Logger {
  const options = { level: logLevel, base: { pid: process.pid }, redact, serializers: { error: stdSerializers.err } }
  const stderr = destination({ fd: 2, sync: true })
  if ((logFormat ?? (isatty(2) ? 'text' : 'json')) === 'json') return pino(options, stderr)
  return pino(options, { write: (line) => stderr.write(readableLine(line)) })
}

const levels: Record<number, string> = { 10: 'trace', 20: 'debug', 30: 'info ', 40: 'warn ', 50: 'error', 60: 'fatal' }

/** A line of JSON as a line for people: time, level, message, then the rest as `key=value`; stacks on lines of their own. */
export function readableLine(line: string): string {
  const { level, time, msg, pid: _, error, err, ...rest } = JSON.parse(line) as Record<string, unknown>
  const clock = new Date(Number(time)).toTimeString().slice(0, 8)
  const words = Object.entries(rest).map(([key, value]) => `${key}=${textOf(value)}`)
  const failure = (error ?? err) as { message?: string; stack?: string } | string | undefined
  const told = failure === undefined ? '' : `\n  ${textOfFailure(failure).replaceAll('\n', '\n  ')}`
  return `${clock} ${levels[Number(level)] ?? level} ${[msg, ...words].join('  ')}${told}\n`
}

function textOf(value: unknown): string {
  return typeof value === 'string'
    ? /^\S+$/.test(value)
      ? value
      : JSON.stringify(value)
    : (JSON.stringify(value) ?? '')
}

function textOfFailure(failure: { message?: string; stack?: string } | string): string {
  return typeof failure === 'string' ? failure : (failure.stack ?? failure.message ?? JSON.stringify(failure))
}
