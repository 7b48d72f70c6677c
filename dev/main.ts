/** Runs this room alone: `node dev/main.ts up|down|erase|status|doctor|restart NAME [PART]`. */
import { doctor } from './doctor.ts'
import { restartPart, stackStatus, startStack, stopStack } from './stack.ts'

const [action = 'status', name = 'dev', part = ''] = process.argv.slice(2)
const begin = performance.now()
const progress = (line: string): void =>
  console.error(`${((performance.now() - begin) / 1000).toFixed(1).padStart(6)}  ${line}`)

switch (action) {
  case 'up': {
    const want = { kubernetes: true, temporal: true, image: true, postgres: true }
    console.log(JSON.stringify(await startStack({ name, want, progress }), null, 2))
    break
  }
  case 'down':
  case 'erase':
    await stopStack(name, { erase: action === 'erase' })
    break
  case 'restart':
    await restartPart(name, part)
    break
  case 'status':
    console.log(JSON.stringify(await stackStatus(name), null, 2))
    break
  case 'doctor':
    for (const { ok, name, detail, remedy } of await doctor()) {
      console.log(`${ok ? 'ok  ' : 'miss'} ${name.padEnd(12)} ${detail}${remedy ? ` -> ${remedy}` : ''}`)
    }
    break
  default:
    console.error('up, down, erase, status, doctor or restart?')
    process.exitCode = 2
}
progress(`${action} ${name}: done`)
