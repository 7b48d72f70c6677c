import { startApiPart } from './api-part.ts'
import { runPart } from './part-process.ts'

/** `mayfly api`: serves HTTP until the process is asked to end. Needs the database; Temporal may be away. */
export async function api(migrate: boolean): Promise<void> {
  await runPart(migrate, async (composition, end) => {
    const server = await startApiPart(composition)
    composition.log.info({ signal: await end.asked }, 'ending')
    await server.close()
  })
}
