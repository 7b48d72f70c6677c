/** An archive that cannot be fetched or must not be unpacked; the message is for people, names the entry, and holds no credentials. */
export class ArchiveError extends Error {
  override name = 'ArchiveError'
}
