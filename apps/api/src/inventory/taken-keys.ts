import type { ModelName } from '@netbox-pbs/core'
import { type HandValues, InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'

/** Id of the row that has this key; null when it is free. */
const holderOf = (model: ModelName, key: HandValues): Effect.Effect<number | null, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    const filters = Object.entries(key).flatMap(([field, value]) =>
      typeof value === 'object' ? [] : [{ field, lookup: 'exact' as const, values: [value] }],
    )
    const { rows } = yield* lists.list({
      model,
      filters,
      search: null,
      order: [],
      page: { _tag: 'cursor', limit: 1, start: 0 },
    })
    return rows[0]?.id ?? null
  })

/** Places of keys that rows of main have already. Asks once for each: it only explains a refusal. */
export const takenKeys = (
  model: ModelName,
  keys: ReadonlyArray<HandValues | null>,
): Effect.Effect<ReadonlySet<number>, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const taken = new Set<number>()
    for (const [index, key] of keys.entries()) {
      if (key !== null && (yield* holderOf(model, key)) !== null) taken.add(index)
    }
    return taken
  })
