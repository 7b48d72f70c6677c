import { GoneError } from './errors.ts'

/** One page of a list; without a token it is the last. */
export interface Page<Item> {
  items: Item[]
  continueToken: string
}

/** A list that is forgotten again and again before its end is given up after so many times. */
const mostRestarts = 5

/**
 * Reads a list page by page. The API server forgets a list after some minutes (410 Gone): then it is gone on with at the place that it names, or
 * where it names none from the beginning, without what came before. Throws what `read` throws.
 */
export async function* listPages<Item extends { metadata: { uid: string } }>(
  read: (continueToken: string) => Promise<Page<Item>>,
): AsyncGenerator<Item[], void, undefined> {
  const given = new Set<string>()
  let token = ''
  for (let restarts = 0; ; ) {
    let page: Page<Item>
    try {
      page = await read(token)
    } catch (error) {
      if (!(error instanceof GoneError) || token === '' || ++restarts > mostRestarts) throw error
      // The same token once more would be refused once more.
      token = error.continueToken === token ? '' : error.continueToken
      continue
    }
    const items = page.items.filter(({ metadata }) => !given.has(metadata.uid))
    for (const { metadata } of items) given.add(metadata.uid)
    yield items
    token = page.continueToken
    if (token === '') return
  }
}
