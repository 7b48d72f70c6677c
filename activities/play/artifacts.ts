import { promisify } from 'node:util'
import type yauzl from 'yauzl'
import { type ArtifactsZip, openZip } from '../../runner/artifacts-zip.ts'
import { changedFacts } from '../../runner/facts.ts'
import type { RunnerJob } from '../../runner/job.ts'
import { LeftFilesError, leftFiles } from '../../runner/left-files.ts'
import { forgetArtifacts, storeArtifactChunk } from '../../store/artifacts.ts'
import type { Store } from '../../store/database.ts'
import { type HostFacts, storeFacts } from '../../store/facts.ts'

const pieceBytes = 1 << 20
/** Facts of one host larger than this are refused: nobody gathers that much, but a play can write what it likes. */
const mostFactBytes = 16 << 20

/**
 * Stores what the play itself left in the artifacts folder, as a zip, a piece at a time in memory. Gives the reason when it cannot be kept: that
 * does not change how the play went.
 */
export async function storeArtifacts(store: Store, jobId: number, zip: ArtifactsZip): Promise<string | null> {
  try {
    let sequence = 0
    for await (const piece of inPieces(leftFiles(zip))) await storeArtifactChunk(store.db, jobId, sequence++, piece)
    return null
  } catch (error) {
    if (!(error instanceof LeftFilesError)) throw error
    await forgetArtifacts(store.db, jobId)
    return error.message
  }
}

/** The same bytes in pieces of one size. */
async function* inPieces(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = []
  let size = 0
  for await (const piece of bytes) {
    waiting.push(piece)
    size += piece.length
    if (size < pieceBytes) continue
    yield Buffer.concat(waiting)
    waiting = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(waiting)
}

/** Stores what the play changed in the facts (`fact_cache/` in the artifacts zip) of the hosts that the inventory knows. */
export async function storeGatheredFacts(
  store: Store,
  zip: ArtifactsZip,
  hostIds: ReadonlyMap<string, number>,
  sent: NonNullable<RunnerJob['facts']>,
): Promise<void> {
  const gathered: HostFacts[] = []
  for (const { hostName, facts } of await changedFacts(factFiles(zip), sent)) {
    const hostId = hostIds.get(hostName)
    if (hostId !== undefined) gathered.push({ hostId, facts })
  }
  await storeFacts(store.db, gathered)
}

/** The text of one file of the artifacts; null when it is not there or larger than `most` bytes. */
export async function readArtifact(zip: ArtifactsZip, fileName: string, most: number): Promise<string | null> {
  const wanted = (name: string, size: number) => (name === fileName && size <= most ? name : null)
  for await (const { text } of textFiles(zip, wanted)) return text
  return null
}

function factFiles(zip: ArtifactsZip): AsyncGenerator<{ name: string; text: string }> {
  return textFiles(zip, (fileName, size) =>
    size > mostFactBytes ? null : (/^fact_cache\/([^/]+)$/.exec(fileName)?.[1] ?? null),
  )
}

/** The files that `nameOf` gives a name, by that name. */
async function* textFiles(
  zipped: ArtifactsZip,
  nameOf: (fileName: string, size: number) => string | null,
): AsyncGenerator<{ name: string; text: string }> {
  const zip = await openZip(zipped, { lazyEntries: true })
  try {
    const openEntry = promisify<yauzl.Entry, NodeJS.ReadableStream>(zip.openReadStream.bind(zip))
    for (let entry = await nextEntry(zip); entry; entry = await nextEntry(zip)) {
      const name = nameOf(entry.fileName, entry.uncompressedSize)
      if (!name) continue
      const pieces: Buffer[] = []
      for await (const piece of await openEntry(entry)) pieces.push(piece as Buffer)
      yield { name, text: Buffer.concat(pieces).toString('utf8') }
    }
  } finally {
    zip.close()
  }
}

function nextEntry(zip: yauzl.ZipFile): Promise<yauzl.Entry | null> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      zip.off('entry', onEntry)
      zip.off('end', onEnd)
      zip.off('error', onError)
      act()
    }
    const onEntry = (entry: yauzl.Entry) => settle(() => resolve(entry))
    const onEnd = () => settle(() => resolve(null))
    const onError = (error: Error) => settle(() => reject(error))
    zip.on('entry', onEntry)
    zip.on('end', onEnd)
    zip.on('error', onError)
    zip.readEntry()
  })
}
