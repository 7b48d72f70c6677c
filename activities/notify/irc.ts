import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { DeliveryError, type Sender, textOf, textsOf } from './sender.ts'

/** Says the line in every channel, and to every user, of one server (RFC 2812). */
export const sendIrc: Sender = async ({ configuration, subject }, signal) => {
  const targets = [...new Set(textsOf(configuration, 'targets'))]
  const wrong = targets.find((target) => /[\s,\0:]/.test(target) || target === '')
  if (wrong !== undefined) throw new DeliveryError(`Error sending notification irc: ${wrong} is no target`, true)
  const to = { host: textOf(configuration, 'server'), port: Number(configuration.port) }
  // As in AWX nothing vouches for the server: there is no setting by which to trust a certificate of one's own.
  const socket = configuration.use_ssl === true ? connectTls({ ...to, rejectUnauthorized: false }) : connectPlain(to)
  const visit = new Visit(socket, targets, subject.slice(0, 400))
  const stop = () => socket.destroy(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    signal.throwIfAborted()
    return await visit.talk(textOf(configuration, 'nickname'), textOf(configuration, 'password'))
  } catch (error) {
    if (error instanceof DeliveryError || signal.aborted) throw error
    throw new DeliveryError(`Error sending notification irc: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    signal.removeEventListener('abort', stop)
    socket.destroy()
  }
}

/** Replies that say that a target cannot be reached, or that we may not come in. */
const refusals = new Set([
  '401',
  '403',
  '404',
  '405',
  '432',
  '437',
  '461',
  '464',
  '465',
  '471',
  '473',
  '474',
  '475',
  '476',
  '477',
])
/** Our mark: its echo comes after every complaint about what was said before. */
const mark = 'mayfly-done'

class Visit {
  readonly #socket: Socket
  readonly #line: string
  readonly #open: Set<string>
  readonly #targets: readonly string[]
  #nickname = ''

  constructor(socket: Socket, targets: readonly string[], line: string) {
    this.#socket = socket
    this.#targets = targets
    this.#open = new Set(targets)
    this.#line = line
  }

  async talk(nickname: string, password: string): Promise<number> {
    this.#nickname = nickname
    if (password) this.#say(`PASS ${password}`)
    this.#say(`NICK ${nickname}`)
    this.#say(`USER ${nickname} 0 * :${nickname}`)
    let rest = ''
    this.#socket.setEncoding('utf8')
    for await (const chunk of this.#socket) {
      const lines = (rest + chunk).split(/\r?\n/)
      rest = (lines.pop() ?? '').slice(-2000)
      for (const line of lines) if (this.#hear(line)) return this.#leave()
    }
    throw new DeliveryError('Error sending notification irc: the server closed the connection')
  }

  #leave(): number {
    this.#socket.end('QUIT :\r\n')
    return this.#targets.length
  }

  /** True when everything is said and heard. */
  #hear(line: string): boolean {
    const [, source = '', command = '', rest = ''] = /^(?::(\S+) )?(\S+) ?(.*)$/.exec(line) ?? []
    if (command === 'PING') this.#say(`PONG ${rest}`)
    else if (command === 'PONG') return rest.includes(mark)
    else if (command === 'ERROR') throw new DeliveryError(`Error sending notification irc: ${rest}`)
    else if (command === '001') for (const target of this.#targets) this.#approach(target)
    else if (command === '433') this.#rename()
    else if (command === 'JOIN' && source.split('!')[0] === this.#nickname) this.#speak(rest.replace(/^:/, ''))
    else if (refusals.has(command)) throw new DeliveryError(`Error sending notification irc: ${command} ${rest}`, true)
    return false
  }

  #approach(target: string): void {
    if (/^[#&+!]/.test(target)) this.#say(`JOIN ${target}`)
    else this.#speak(target)
  }

  #speak(target: string): void {
    const named = [...this.#open].find((one) => one.toLowerCase() === target.toLowerCase())
    if (named === undefined) return
    this.#say(`PRIVMSG ${target} :${this.#line}`)
    this.#open.delete(named)
    if (this.#open.size === 0) this.#say(`PING ${mark}`)
  }

  /** Somebody has our name. */
  #rename(): void {
    if (this.#nickname.endsWith('___')) throw new DeliveryError('Error sending notification irc: the nick is in use')
    this.#nickname += '_'
    this.#say(`NICK ${this.#nickname}`)
  }

  #say(line: string): void {
    this.#socket.write(`${line.replace(/[\r\n\0]/g, ' ')}\r\n`)
  }
}
