import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { portIsFree } from '../../dev/numbers.ts'

/**
 * A port outside those of the stacks and those that the kernel gives to outgoing connections, so that it is still free after a restart. Nobody else is given it as long as this process
 * lives: test files run side by side, and seconds pass before somebody listens there, or listens there again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(24_000, 32_000)
    if ((await reserve(port)) && (await portIsFree(port))) return port
  }
}

/** Takes the port of this number that is UDP's, for which nobody has a use, until this process ends. False when another one has it. */
function reserve(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
    socket.once('error', () => socket.close(() => resolve(false)))
    socket.bind(port, '127.0.0.1', () => {
      socket.unref()
      resolve(true)
    })
  })
}
