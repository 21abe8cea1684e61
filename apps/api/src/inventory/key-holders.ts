import {
  type Filter,
  keyText,
  type ModelName,
  naturalKey,
  type PageRequest,
  pageLimits,
  registry,
} from '@netbox-pbs/core'
import { InventoryLists, type ServedPage, type StoreFailed } from '@netbox-pbs/core/ports'
import { Array as Arr, Effect } from 'effect'

/** A row with the columns of its key. */
type Keyed = Readonly<Record<string, unknown>>

/** Keys asked for at once. */
const chunk = 200

/** The rows that have the keys of some others, as ids by the texts of their keys. More than these may come. */
export const keyHolders = (
  model: ModelName,
  keys: ReadonlyArray<Keyed>,
): Effect.Effect<ReadonlyMap<string, number>, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const holders = new Map<string, number>()
    for (const some of Arr.chunksOf(keys, chunk)) yield* addHolders(model, some, holders)
    return holders
  })

/** Asked column by column, so that more rows may come than have one of the keys. */
const addHolders = (
  model: ModelName,
  keys: ReadonlyArray<Keyed>,
  holders: Map<string, number>,
): Effect.Effect<void, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    const filters = keyFilters(model, keys)
    let start: number | null = 0
    while (start !== null) {
      const page: PageRequest = { _tag: 'cursor', limit: pageLimits.max, start }
      const { rows }: ServedPage<ModelName> = yield* lists.list({ model, filters, search: null, order: [], page })
      for (const row of rows) holders.set(keyText(naturalKey(model, row)), row.id)
      const last = rows.at(-1)
      start = rows.length === page.limit && last !== undefined ? last.id + 1 : null
    }
  })

function keyFilters(model: ModelName, keys: ReadonlyArray<Keyed>): ReadonlyArray<Filter> {
  return registry[model].key.map((field) => {
    const values = keys
      .map((key) => key[field])
      .filter((value) => typeof value === 'string' || typeof value === 'number')
    return { field, lookup: 'exact', values: [...new Set(values)] }
  })
}
