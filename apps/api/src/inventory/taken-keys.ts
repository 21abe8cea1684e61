import { type Filter, type ModelName, naturalKey, type PageRequest, pageLimits, registry } from '@netbox-pbs/core'
import { type EditValues, InventoryLists, type ServedPage, type StoreFailed } from '@netbox-pbs/core/ports'
import { Array as Arr, Effect } from 'effect'

/** Keys asked for at once. */
const chunk = 200

/** Places of keys that rows of main have already. It only explains a refusal; the store's constraint is what refuses. */
export const takenKeys = (
  model: ModelName,
  keys: ReadonlyArray<EditValues | null>,
): Effect.Effect<ReadonlySet<number>, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const given = keys.filter((key) => key !== null)
    const found = yield* Effect.forEach(Arr.chunksOf(given, chunk), (some) => keysInMain(model, some))
    const taken = new Set(found.flatMap((texts) => [...texts]))
    return new Set(
      [...keys.entries()].flatMap(([place, key]) => (key !== null && taken.has(naturalKey(model, key)) ? [place] : [])),
    )
  })

/** Of these keys those of main, as texts. Asked column by column, so that more rows may come than have one of the keys. */
const keysInMain = (
  model: ModelName,
  keys: ReadonlyArray<EditValues>,
): Effect.Effect<ReadonlySet<string>, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    const filters = keyFilters(model, keys)
    const texts = new Set<string>()
    let start: number | null = 0
    while (start !== null) {
      const page: PageRequest = { _tag: 'cursor', limit: pageLimits.max, start }
      const { rows }: ServedPage<ModelName> = yield* lists.list({ model, filters, search: null, order: [], page })
      for (const row of rows) texts.add(naturalKey(model, row))
      const last = rows.at(-1)
      start = rows.length === page.limit && last !== undefined ? last.id + 1 : null
    }
    return texts
  })

function keyFilters(model: ModelName, keys: ReadonlyArray<EditValues>): ReadonlyArray<Filter> {
  return registry[model].key.map((field) => {
    const values = keys
      .map((key) => key[field])
      .filter((value) => typeof value === 'string' || typeof value === 'number')
    return { field, lookup: 'exact', values: [...new Set(values)] }
  })
}
