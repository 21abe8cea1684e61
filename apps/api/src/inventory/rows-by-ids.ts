import { type ModelName, pageLimits } from '@netbox-pbs/core'
import { InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Array as Arr, Effect } from 'effect'
import { anyRow, type Row } from '../rest/row.ts'

/** Rows by their ids, in the order of the ids; ids without a row are left out. */
export const rowsByIds = (
  model: ModelName,
  ids: ReadonlyArray<number>,
): Effect.Effect<ReadonlyArray<Row>, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    const pages = yield* Effect.forEach(Arr.chunksOf(ids, pageLimits.max), (values) =>
      lists.list({
        model,
        filters: [{ field: 'id', lookup: 'exact', values }],
        search: null,
        order: [],
        page: { _tag: 'cursor', limit: values.length, start: 0 },
      }),
    )
    const rows = new Map(pages.flatMap((page) => page.rows.map((row) => [row.id, anyRow(row)] as const)))
    return ids.flatMap((id) => rows.get(id) ?? [])
  })
