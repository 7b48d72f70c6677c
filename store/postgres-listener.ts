import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { NotificationListener, Store, StoreOptions } from './database.ts'
import { within } from './deadline.ts'
import { lostConnection, translate } from './errors.ts'

/** How often a silent connection is asked whether it still lives: a firewall may drop it without a word. */
const pingEveryMs = 30_000
const longestPauseMs = 5_000

/** One dedicated connection that receives all channels' notifications and comes back after it was lost. */
export function createPostgresListener(config: pg.ClientConfig, options: StoreOptions) {
  const timeoutMs = config.connectionTimeoutMillis ?? longestPauseMs
  const subscribers = new Map<string, Set<NotificationListener>>()
  const closing = new AbortController()
  /** The connection in use or on its way; undefined until the first subscription. */
  let connection: Promise<pg.Client> | undefined

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({ ...config, query_timeout: timeoutMs })
    client.on('error', (error) => options.onConnectionLost?.(lostConnection(error)))
    client.on('notification', ({ channel, payload }) => tell(channel, payload ?? ''))
    await client.connect()
    // Listening before the loss is watched for: a failure here is this call's failure, not a loss.
    for (const channel of subscribers.keys()) await listenOn(client, channel)
    const ping = setInterval(() => {
      client.query('SELECT 1').catch(() => client.end())
    }, pingEveryMs)
    ping.unref()
    client.once('end', () => {
      clearInterval(ping)
      if (!closing.signal.aborted) connection = reconnect()
    })
    return client
  }

  async function reconnect(): Promise<pg.Client> {
    for (let pause = 50; ; pause = Math.min(pause * 2, longestPauseMs)) {
      await delay(pause, undefined, { ref: false, signal: closing.signal })
      try {
        const client = await connect()
        for (const channel of subscribers.keys()) tell(channel, null)
        return client
      } catch (error) {
        options.onConnectionLost?.(lostConnection(error))
      }
    }
  }

  function tell(channel: string, payload: string | null): void {
    for (const callback of subscribers.get(channel) ?? []) callback(payload)
  }

  /** One statement at a time: the driver wants no second one while the first runs. */
  let turn: Promise<unknown> = Promise.resolve()
  function listenOn(client: pg.Client, channel: string): Promise<unknown> {
    const done = turn.then(() => client.query(`LISTEN ${client.escapeIdentifier(channel)}`))
    turn = done.catch(() => {})
    return done
  }

  /** The first connection; a failure is the caller's, and the next subscriber tries anew. */
  function firstConnection(): Promise<pg.Client> {
    const first = connect()
    first.catch(() => {
      connection = undefined
    })
    return first
  }

  const listen: Store['listen'] = async (channel, callback) => {
    const callbacks = subscribers.get(channel) ?? new Set()
    callbacks.add(callback)
    subscribers.set(channel, callbacks)
    const stop = async () => {
      callbacks.delete(callback)
    }
    try {
      connection ??= firstConnection()
      await within(timeoutMs, listenOn(await within(timeoutMs, connection), channel))
      return stop
    } catch (error) {
      await stop()
      throw translate(error)
    }
  }

  return {
    listen,
    async close() {
      closing.abort()
      const client = await connection?.catch(() => undefined)
      await client?.end()
    },
  }
}
