/** What runs under Mayfly, and how its start is told. */
import { controlPlaneAnsible } from '../../dev/ansible.ts'
import { type StackAddresses, startStack } from '../../dev/stack.ts'

/** Says on stderr what goes on, with the seconds since the start. */
export function progressOf(name: string): (line: string) => void {
  const begin = performance.now()
  return (line) => console.error(`${name} ${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${line}`)
}

/** Everything under Mayfly but PostgreSQL, which the embedded database replaces. */
export function startParts(name: string, progress: (line: string) => void): Promise<StackAddresses> {
  return startStack({ name, want: { kubernetes: true, temporal: true, image: true }, progress })
}

/** Ansible for project updates; without it everything works but projects with a requirements.yml. */
export async function findGalaxy(progress: (line: string) => void) {
  try {
    const { galaxy, env } = await controlPlaneAnsible(progress)
    return { command: galaxy, env }
  } catch (error) {
    progress(
      `ansible: none for the control plane (${error instanceof Error ? error.message : error}); projects with a requirements.yml will fail to update`,
    )
    return null
  }
}
