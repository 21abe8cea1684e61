import { InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { ApiContext } from '../rest/caller.ts'
import { anyRow } from '../rest/row.ts'

/** Servers that are named at most. */
const mostNamed = 5

/** A server that has a certificate pinned. */
interface Twin {
  readonly id: number
  readonly name: string
}

/**
 * The other servers that have a certificate pinned: this one may be the same PBS under another name.
 * An empty fingerprint is of no certificate.
 */
export const twinsOf = ({
  id,
  fingerprint,
}: {
  readonly id: number
  readonly fingerprint: string
}): Effect.Effect<ReadonlyArray<Twin>, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    if (fingerprint === '') return []
    const { rows } = yield* (yield* InventoryLists).list({
      model: 'server',
      filters: [{ field: 'fingerprint', lookup: 'exact', values: [fingerprint] }],
      search: null,
      order: [],
      page: { _tag: 'offset', limit: mostNamed + 1, offset: 0 },
    })
    return rows
      .map(anyRow)
      .filter((other) => other.id !== id)
      .slice(0, mostNamed)
      .map((other) => ({ id: other.id, name: other.serverName }))
  })

/** Names the servers of `twinsOf` in `X-Same-Certificate`: `pbs-a (7), pbs-b (9)`. */
export const nameTwins = (c: ApiContext, server: { readonly id: number; readonly fingerprint: string }) =>
  Effect.map(twinsOf(server), (twins) => {
    if (twins.length > 0)
      c.header(
        'X-Same-Certificate',
        twins
          .map(({ id, name }) => `${name} (${id})`)
          .join(', ')
          .replaceAll(/[^\x20-\x7e]/g, '?'),
      )
  })
