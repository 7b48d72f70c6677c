/**
 * Does something to every item, at most so many at a time, begun in the order of the items. Rejects with the first error, while what is under way and what is left goes on with as
 * many fewer at a time as have failed: whoever wants every item done handles errors in `act`.
 */
export async function eachConcurrently<Item>(
  items: Iterable<Item>,
  most: number,
  act: (item: Item) => Promise<unknown>,
): Promise<void> {
  const rest = items[Symbol.iterator]()
  const line = async () => {
    for (let next = rest.next(); !next.done; next = rest.next()) await act(next.value)
  }
  await Promise.all(Array.from({ length: most }, line))
}
