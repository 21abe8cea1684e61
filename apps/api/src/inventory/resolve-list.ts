import {
  type ListQuery,
  type ListRequest,
  type ModelName,
  resolveListQuery,
  type WantedRows,
  wantedRows,
} from '@netbox-pbs/core'
import { InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { invalid, type Refused } from '../http/refused.ts'

/** Looks up which of the servers named, by name or by id, there are. Asks nothing when nothing is named. */
export const knownServers = Effect.fn('knownServers')(function* ({ names, ids }: WantedRows) {
  const lists = yield* InventoryLists
  return {
    idsByName: names.length > 0 ? yield* lists.serverIds({ names }) : new Map<string, number>(),
    ids: ids.length > 0 ? yield* lists.existing({ model: 'server', ids }) : new Set<number>(),
  }
})

/** A list request with its references looked up; 400 with every wrong parameter. */
export const resolveList = <M extends ModelName>(
  request: ListRequest<M>,
): Effect.Effect<ListQuery<M>, Refused | StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const resolved = resolveListQuery(request, yield* knownServers(wantedRows(request)))
    return resolved._tag === 'query' ? resolved.query : yield* invalid(resolved.body)
  })
