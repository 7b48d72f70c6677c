import { and, asc, eq, gt, ne } from 'drizzle-orm'
import type { Database } from './database.ts'
import { artifactChunks } from './schema/jobs.ts'

/**
 * Stores one piece of the runner's artifacts zip, in order from 0; a megabyte or so each. Piece 0 begins anew, so a reader that died may
 * start over with pieces of another size.
 */
export async function storeArtifactChunk(
  db: Database,
  jobId: number,
  sequence: number,
  data: Uint8Array,
): Promise<void> {
  const bytes = Buffer.from(data)
  await db.transaction(async (tx) => {
    if (sequence === 0)
      await tx.delete(artifactChunks).where(and(eq(artifactChunks.jobId, jobId), ne(artifactChunks.sequence, 0)))
    await tx
      .insert(artifactChunks)
      .values({ jobId, sequence, data: bytes })
      .onConflictDoUpdate({ target: [artifactChunks.jobId, artifactChunks.sequence], set: { data: bytes } })
  })
}

/** Reads the zip piece by piece, holding one in memory. Yields nothing when there is none. */
export async function* readArtifacts(db: Database, jobId: number): AsyncGenerator<Buffer> {
  for (let sequence = -1; ; ) {
    const [chunk] = await db
      .select()
      .from(artifactChunks)
      .where(and(eq(artifactChunks.jobId, jobId), gt(artifactChunks.sequence, sequence)))
      .orderBy(asc(artifactChunks.sequence))
      .limit(1)
    if (!chunk) return
    yield chunk.data
    sequence = chunk.sequence
  }
}
