import { and, asc, eq, gt, ne, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { artifactChunks } from './schema/jobs.ts'

/**
 * Stores one piece of the zip of files that a play left, in order from 0; a megabyte or so each. Piece 0 begins anew, so a reader that died may
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

/** Removes the zip, or what there is of it. */
export async function forgetArtifacts(db: Database, jobId: number): Promise<void> {
  await db.delete(artifactChunks).where(eq(artifactChunks.jobId, jobId))
}

/** Length of the zip in bytes; 0 when there is none. */
export async function artifactsSize(db: Database, jobId: number): Promise<number> {
  const [row] = await db
    .select({ bytes: sql<number>`coalesce(sum(octet_length(${artifactChunks.data})), 0)::float8` })
    .from(artifactChunks)
    .where(eq(artifactChunks.jobId, jobId))
  return Number(row?.bytes ?? 0)
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
