import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Chunk, Effect as E, type Effect, Option, Stream } from 'effect'

/** Rows of one statement at most. */
export const pageSize = 2000

/**
 * A list read page by page, each page a statement of its own that continues after the last row: no
 * connection is held and no transaction is open while the reader works.
 */
export function pages<A>(
  read: (after: A | null) => Effect.Effect<ReadonlyArray<A>, StoreFailed>,
): Stream.Stream<A, StoreFailed> {
  return Stream.paginateChunkEffect(Option.none<A>(), (after) =>
    E.map(read(Option.getOrNull(after)), (rows) => {
      const last = rows.at(-1)
      const next = last === undefined || rows.length < pageSize ? Option.none() : Option.some(Option.some(last))
      return [Chunk.unsafeFromArray(rows), next] as const
    }),
  )
}
