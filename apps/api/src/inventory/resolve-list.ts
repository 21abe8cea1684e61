import {
  type ListQuery,
  type ListRequest,
  type ModelName,
  type ReferencedRows,
  referencedRows,
  resolveListQuery,
} from '@netbox-pbs/core'
import { InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type HttpError, invalid } from '../rest/http-error.ts'

/** Looks up which of the servers named, by name or by id, there are. Asks nothing when nothing is named. */
export const knownServers = Effect.fn('knownServers')(function* ({ names: requested, ids }: ReferencedRows) {
  const lists = yield* InventoryLists
  // A database cannot be asked for text that it cannot store, and no server has such a name.
  const names = requested.filter((name) => !name.includes('\0') && name.isWellFormed())
  return {
    idsByName: names.length > 0 ? yield* lists.serverIds({ names }) : new Map<string, number>(),
    ids: ids.length > 0 ? yield* lists.existing({ model: 'server', ids }) : new Set<number>(),
  }
})

/** A list request with its references looked up; 400 with every wrong parameter. */
export const resolveList = <M extends ModelName>(
  request: ListRequest<M>,
): Effect.Effect<ListQuery<M>, HttpError | StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const resolved = resolveListQuery(request, yield* knownServers(referencedRows(request)))
    return resolved._tag === 'query' ? resolved.query : yield* invalid(resolved.body)
  })
