import { runPreflight } from './activities.ts'

/** A test of a container group or of a credential, as somebody asked for it. */
export async function preflight(input: { preflightId: number }): Promise<{ ok: boolean }> {
  return await runPreflight(input)
}
