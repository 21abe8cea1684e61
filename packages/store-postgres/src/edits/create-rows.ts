import type { Actor } from '@netbox-pbs/core'
import {
  type EditValues,
  KeyTaken,
  type ServerGone,
  type StoreFailed,
  type WritableModel,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import { appendChanges, created } from '../change-log/append-changes.ts'
import { jsonb } from '../database/json.ts'
import type { Tables } from '../database/tables.ts'
import { lockPlaces } from '../scopes/scope-locks.ts'
import { keyColumns, observationTable, observedColumns, tables } from '../tables/columns.ts'
import { notePending } from '../writes/pending-since.ts'
import { groupKeyOf, recountTouchedGroups } from '../writes/touch-groups.ts'
import type { Main } from '../writes/writer.ts'
import { newRow, writtenColumns } from './editable-columns.ts'
import { placesOfNew, serverGone } from './lock-row.ts'

interface Written {
  readonly ord: number
  readonly id: number
  readonly written: boolean
}

/**
 * Creates rows, all or none. Names the first row whose key is taken, also by an earlier row of the
 * same request.
 */
export const createRows = Effect.fn('InventoryWrites.create')(function* (
  { database, watch }: Main,
  request: { readonly model: WritableModel; readonly rows: ReadonlyArray<EditValues>; readonly actor: Actor },
): Effect.fn.Return<ReadonlyArray<number>, StoreFailed | KeyTaken | ServerGone> {
  const { model, rows, actor } = request
  if (rows.length === 0) return []
  const groups = model === 'snapshot' ? rows.map(groupKeyOf) : []
  return yield* database.transaction(`creating ${model}s`, async (trx) => {
    await lockPlaces({ scopes: placesOfNew(model, rows) }).execute(trx)
    const gone = await serverGone(trx, rows)
    if (gone !== null) return gone
    const written = await insertRows(
      trx,
      request,
      rows.map((values, ord) => newRow(model, values, ord)),
    )
    const taken = written.find((row) => !row.written)
    if (taken !== undefined) return new KeyTaken({ model, index: taken.ord })
    await recountTouchedGroups(trx, groups, { origin: actor, watch })
    if (model === 'server') await notePending(trx)
    return written.map(({ id }) => id)
  })
})

/**
 * Inserts rows, their observations and their log entries, and returns in the given order whether
 * each key was free.
 */
async function insertRows(
  db: Kysely<Tables>,
  { model, actor }: { readonly model: WritableModel; readonly actor: Actor },
  rows: ReadonlyArray<Readonly<Record<string, unknown>>>,
): Promise<ReadonlyArray<Written>> {
  const columns = writtenColumns(model)
  const observed = observedColumns(model)
  const names = sql.join(columns.map(({ name }) => sql.id(name)))
  const types = sql.join([
    ...columns.map(({ name, type }) => sql`${sql.id(name)} ${sql.raw(type)}`),
    ...observed.map(({ name, type }) => sql`${sql.id(`o_${name}`)} ${sql.raw(type)}`),
  ])
  const key = sql.join(keyColumns(model).map(({ name }) => sql.id(name)))
  const { rows: written } = await sql<Written>`
    with given as materialized (
      select nextval(pg_get_serial_sequence(${tables[model]}, 'id')) as id, r.*
      from jsonb_to_recordset(${jsonb(rows)}) as r (ord bigint, ${types}) order by r.ord
    ), written as (
      insert into ${sql.table(tables[model])} as m (id, ${names}, presence) select id, ${names}, 'manual' from given order by ord
      on conflict (${key}) do nothing returning ${created(model, 'm')}
    ), logged as (${appendChanges('written', 'create', model, { origin: actor })})${observations(model)}
    select given.ord, given.id, written.id is not null as written
    from given left join written on written.id = given.id order by given.ord`.execute(db)
  return written
}

/** The step that inserts the observations of the rows that were written. */
function observations(model: WritableModel) {
  const observation = observationTable(model)
  if (observation === null) return sql``
  const names = observedColumns(model).map(({ name }) => name)
  const row = model === 'server' ? ['server_id'] : ['server_id', observation.id]
  const ids = model === 'server' ? sql`given.id` : sql`given.server_id, given.id`
  return sql`, observed as (
    insert into ${sql.table(observation.table)} (${sql.join([...row, ...names].map((name) => sql.id(name)))})
    select ${ids}, ${sql.join(names.map((name) => sql.ref(`given.o_${name}`)))} from given join written on written.id = given.id
  )`
}
