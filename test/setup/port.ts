import { randomInt } from 'node:crypto'
import { portIsFree } from '../../dev/numbers.ts'

/** A port outside those of the stacks and those that the kernel gives to outgoing connections, so that it is still free after a restart. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(24_000, 32_000)
    if (await portIsFree(port)) return port
  }
}
