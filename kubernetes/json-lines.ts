/** Parses a byte stream that holds one JSON document a line; `onBytes` is called for every piece that comes. A last unfinished line is dropped. */
export async function* jsonLines<T>(stream: AsyncIterable<Buffer>, onBytes: () => void): AsyncGenerator<T> {
  let pieces: Buffer[] = []
  for await (const chunk of stream) {
    onBytes()
    let start = 0
    for (let end = chunk.indexOf(10, start); end >= 0; end = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...pieces, chunk.subarray(start, end)])
      pieces = []
      start = end + 1
      if (line.length > 0) yield JSON.parse(line.toString('utf8'))
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start))
  }
}
