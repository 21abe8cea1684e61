import type { Actor } from '@netbox-pbs/core'
import {
  type EditValues,
  KeyTaken,
  type ServerGone,
  type StoreFailed,
  type WritableModel,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sql } from 'kysely'
import { jsonb } from '../database/json.ts'
import { lockPlaces } from '../scopes/scope-locks.ts'
import { observedColumns, tables } from '../tables/columns.ts'
import { insertLoggedRows, type LoggedRows } from '../writes/write-rows.ts'
import { notePending } from '../writes/pending-since.ts'
import { groupKeyOf, recountTouchedGroups } from '../writes/touch-groups.ts'
import type { Main } from '../writes/writer.ts'
import { newRow, writtenColumns } from './editable-columns.ts'
import { placesOf, serverGone } from './lock-rows.ts'

/**
 * Creates rows, all or none. Names the first row whose key is taken, also by an earlier row of the
 * same request.
 */
export const createRows = Effect.fn('InventoryWrites.create')(function* (
  { database, watch }: Main,
  {
    model,
    rows,
    actor,
  }: { readonly model: WritableModel; readonly rows: ReadonlyArray<EditValues>; readonly actor: Actor },
): Effect.fn.Return<ReadonlyArray<number>, StoreFailed | KeyTaken | ServerGone> {
  if (rows.length === 0) return []
  const groups = model === 'snapshot' ? rows.map(groupKeyOf) : []
  return yield* database.transaction(`creating ${model}s`, async (trx) => {
    await lockPlaces({ scopes: placesOf(model, rows) }).execute(trx)
    const gone = await serverGone(trx, rows)
    if (gone !== null) return gone
    const inserted = await insertLoggedRows(trx, manualRows(model, rows, actor), 'leave out')
    const taken = inserted.find(({ written }) => !written)
    if (taken !== undefined) return new KeyTaken({ model, index: taken.ord })
    await recountTouchedGroups(trx, groups, { origin: actor, watch })
    if (model === 'server') await notePending(trx)
    return inserted.map(({ id }) => id)
  })
})

/** The rows of a request, made by a user. */
function manualRows(model: WritableModel, rows: ReadonlyArray<EditValues>, actor: Actor): LoggedRows {
  const columns = writtenColumns(model)
  const observed = observedColumns(model)
  const types = sql.join([
    ...columns.map(({ name, type }) => sql`${sql.id(name)} ${sql.raw(type)}`),
    ...observed.map(({ name, type }) => sql`${sql.id(`o_${name}`)} ${sql.raw(type)}`),
  ])
  const given = rows.map((values, ord) => newRow(model, values, ord))
  return {
    model,
    from: sql`from jsonb_to_recordset(${jsonb(given)}) as r (ord bigint, ${types})`,
    ord: sql`r.ord`,
    id: sql`nextval(pg_get_serial_sequence(${tables[model]}, 'id'))`,
    values: [
      ...columns.map(({ name }) => ({ name, value: sql.ref(`r.${name}`) })),
      { name: 'presence', value: sql`'manual'` },
    ],
    observations: observed.map(({ name }) => ({ name, value: sql.ref(`r.o_${name}`) })),
    origin: actor,
  }
}
