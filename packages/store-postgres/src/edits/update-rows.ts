import type { Actor } from '@netbox-pbs/core'
import {
  KeyTaken,
  type RowNotFound,
  type RowUpdate,
  type ServerGone,
  type StoreFailed,
  type VersionChanged,
  type WritableModel,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import { jsonb } from '../database/json.ts'
import type { Tables } from '../database/tables.ts'
import { type Column, defaultValue, observationTable, observedColumns, ofJson, tables } from '../tables/columns.ts'
import { changeRows } from '../writes/change-rows.ts'
import { insertObservations } from '../writes/insert-observations.ts'
import { notePending } from '../writes/pending-since.ts'
import { recountTouchedGroups } from '../writes/touch-groups.ts'
import type { Main } from '../writes/writer.ts'
import { givenColumns, namesFact } from './editable-columns.ts'
import { foldChanges } from './fold-changes.ts'
import { lockRows, serverGone } from './lock-rows.ts'

/** Changes the named columns of rows, all or none. */
export const updateRows = Effect.fn('InventoryWrites.update')(function* (
  { database, watch }: Main,
  {
    model,
    rows,
    actor,
  }: { readonly model: WritableModel; readonly rows: ReadonlyArray<RowUpdate>; readonly actor: Actor },
): Effect.fn.Return<void, StoreFailed | RowNotFound | KeyTaken | ServerGone | VersionChanged> {
  if (rows.length === 0) return
  const what = rows.length === 1 ? `a ${model}` : `${model}s`
  yield* database.transaction(`changing ${what}`, async (trx) => {
    const locked = await lockRows(trx, model, rows)
    if (locked instanceof Error) return locked
    const gone = await serverGone(
      trx,
      rows.map(({ values }) => values),
    )
    if (gone !== null) return gone
    const updated = await changeRows(trx, model, { rows, origin: actor })
    if (typeof updated !== 'number') return new KeyTaken({ model, index: updated.taken })
    await writeObservations(trx, model, rows)
    const touched = locked.groups.filter((_, index) => namesFact(model, rows[index]?.values ?? {}))
    await recountTouchedGroups(trx, touched.flat(), { origin: actor, watch })
    if (model === 'server') await notePending(trx)
    await foldChanges(trx, { model, ids: rows.map(({ id }) => id), actor })
    return undefined
  })
})

/** Stores the observations that are given of rows. */
async function writeObservations(
  db: Kysely<Tables>,
  model: WritableModel,
  rows: ReadonlyArray<RowUpdate>,
): Promise<void> {
  const observation = observationTable(model)
  const observed = rows.map(({ id, values }) => ({
    id,
    values: Object.fromEntries(givenColumns(observedColumns(model), values).map(({ field }) => [field, values[field]])),
  }))
  const given = new Set(observed.flatMap(({ values }) => Object.keys(values)))
  if (observation === null || given.size === 0) return
  const kept = sql`select * from ${sql.table(observation.table)} k where k.${sql.id(observation.id)} = t.id`
  await insertObservations(model, {
    from: sql`
      from jsonb_to_recordset(${jsonb(observed)}) as r (id bigint, values jsonb) join ${sql.table(tables[model])} t on t.id = r.id
      left join lateral (${kept}) k on true where r.values <> '{}'`,
    row: 't',
    values: observedColumns(model)
      .filter(({ field }) => given.has(field))
      .map((column) => ({ name: column.name, value: observedValue(model, column) })),
    existing: 'replace',
  })?.execute(db)
}

/** The value that the change `r` gives a column, else the one that the row's observation `k` has. */
const observedValue = (model: WritableModel, column: Column) =>
  sql`case when r.values ? ${column.field}::text then ${ofJson(sql`r.values`, column)}
    else coalesce(k.${sql.id(column.name)}, ${ofJson(sql`${jsonb({ [column.field]: defaultValue(model, column.field) })}`, column)}) end`
