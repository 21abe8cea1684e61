import type { Actor, ModelName } from '@netbox-pbs/core'
import {
  type EditValues,
  KeyTaken,
  type RowNotFound,
  type RowRemoval,
  type RowUpdate,
  type ServerGone,
  type StoreFailed,
  type VersionChanged,
  type WritableModel,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import { differingMembers } from '../change-log/append-changes.ts'
import { logMessages, messagesOf } from '../change-log/log-messages.ts'
import { givesCustomValues, lockUniqueValues, type TakenValue, takenValue } from '../custom-values/unique-values.ts'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { lockPlaces } from '../scopes/scope-locks.ts'
import { type Column, defaultValue, observationTable, observedColumns, ofJson, tables } from '../tables/columns.ts'
import { changeRows } from '../writes/change-rows.ts'
import { insertObservations } from '../writes/insert-observations.ts'
import { judgeJobs } from '../writes/job-health.ts'
import { judgeGroups } from '../writes/judge-groups.ts'
import { notePending } from '../writes/pending-since.ts'
import { groupKeyOf, recountTouchedGroups } from '../writes/recount.ts'
import { deleteRowsById, insertLoggedRows, type LoggedRows } from '../writes/write-rows.ts'
import type { Main } from '../writes/writer.ts'
import { givenColumns, namesFact, newRow, writtenColumns } from './editable-columns.ts'
import { type LockedRows, lockRows, lockVersions, placesOf, serverGone, serversOf } from './lock-rows.ts'
import { withWholeValues } from './whole-values.ts'

/**
 * Creates rows, all or none. Names the first row whose key is taken, also by an earlier row of the
 * same request.
 */
export const createRows = Effect.fn('InventoryWrites.create')(function* (
  { database, watch }: Main,
  {
    model,
    rows,
    messages = [],
    actor,
  }: {
    readonly model: WritableModel
    readonly rows: ReadonlyArray<EditValues>
    readonly messages?: ReadonlyArray<string>
    readonly actor: Actor
  },
): Effect.fn.Return<ReadonlyArray<number>, StoreFailed | KeyTaken | ServerGone> {
  if (rows.length === 0) return []
  const groups = model === 'snapshot' ? rows.map(groupKeyOf) : []
  return yield* database.transaction(`creating ${model}s`, async (trx) => {
    const fields = rows.some(givesCustomValues) ? await lockUniqueValues(trx, [model]) : []
    await lockPlaces({ scopes: placesOf(model, rows) }).execute(trx)
    const gone = await serverGone(trx, rows)
    if (gone !== null) return gone
    const inserted = await insertLoggedRows(trx, manualRows(model, rows, actor), 'leave out')
    const taken = inserted.find(({ written }) => !written)
    if (taken !== undefined) return new KeyTaken({ model, index: taken.ord })
    const ids = inserted.map(({ id }) => id)
    const value = await takenValue(trx, model, { fields, ids })
    if (value !== null) return valueTaken(model, value, inserted.find(({ id }) => id === value.id)?.ord)
    await recountTouchedGroups(trx, groups, { origin: actor, watch })
    if (model === 'server') await notePending(trx)
    if (model === 'job') await judgeEdited(trx, serversOf(placesOf(model, rows)))
    const named = inserted.map(({ id, ord }) => ({ id, message: messages[ord] }))
    await logMessages(trx, { model, actor, messages: messagesOf(named, actor) })
    return ids
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

/** Changes the named columns of rows, all or none. */
export const updateRows = Effect.fn('InventoryWrites.update')(function* (
  { database, watch }: Main,
  { model, rows, actor }: { readonly model: ModelName; readonly rows: ReadonlyArray<RowUpdate>; readonly actor: Actor },
): Effect.fn.Return<void, StoreFailed | RowNotFound | KeyTaken | ServerGone | VersionChanged> {
  if (rows.length === 0) return
  const what = rows.length === 1 ? `a ${model}` : `${model}s`
  yield* database.transaction(`changing ${what}`, async (trx) => {
    const giving = rows.filter(({ values }) => givesCustomValues(values)).map(({ id }) => id)
    const fields = giving.length > 0 ? await lockUniqueValues(trx, [model]) : []
    const locked = await lockRows(trx, model, rows)
    if (locked instanceof Error) return locked
    const gone = await serverGone(
      trx,
      rows.map(({ values }) => values),
    )
    if (gone !== null) return gone
    const updated = await changeRows(trx, model, { rows: await withWholeValues(trx, model, rows), origin: actor })
    if (typeof updated !== 'number') return new KeyTaken({ model, index: updated.taken })
    const value = await takenValue(trx, model, { fields, ids: giving })
    if (value !== null)
      return valueTaken(
        model,
        value,
        rows.findIndex(({ id }) => id === value.id),
      )
    await writeObservations(trx, model, rows)
    const touched = locked.groups.filter((_, index) => namesFact(model, rows[index]?.values ?? {}))
    await recountTouchedGroups(trx, touched.flat(), { origin: actor, watch })
    if (model === 'server') await notePending(trx)
    // An objective may be about their tags.
    const ids = rows.map(({ id }) => id)
    if (model === 'group') await judgeGroups(trx, sql`g.id = any(${ids}::bigint[])`)
    if (model === 'job') await judgeEdited(trx, locked.servers)
    if (model === 'server') await judgeEdited(trx, zonedServers(rows))
    await foldChanges(trx, { model, ids, actor })
    await logMessages(trx, { model, actor, messages: messagesOf(rows, actor) })
    return undefined
  })
})

/** Judges the jobs of servers of which rows were edited, at the time of the database. */
async function judgeEdited(db: Kysely<Tables>, servers: ReadonlyArray<number>): Promise<void> {
  const { rows } = await sql<{ at: string }>`select now() as at`.execute(db)
  await judgeJobs(db, servers, rows[0]?.at ?? '')
}

/** The servers that are given a time zone. */
const zonedServers = (rows: ReadonlyArray<RowUpdate>): ReadonlyArray<number> =>
  rows.flatMap(({ id, values }) => ('timezone' in values ? [id] : []))

/** The error of a row whose value of a unique custom field another row has. */
const valueTaken = (model: ModelName, { field }: TakenValue, index = 0): KeyTaken =>
  new KeyTaken({ model, index, customField: field })

/** Stores the observations that are given of rows. */
async function writeObservations(db: Kysely<Tables>, model: ModelName, rows: ReadonlyArray<RowUpdate>): Promise<void> {
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
const observedValue = (model: ModelName, column: Column) =>
  sql`case when r.values ? ${column.field}::text then ${ofJson(sql`r.values`, column)}
    else coalesce(k.${sql.id(column.name)}, ${ofJson(sql`${jsonb({ [column.field]: defaultValue(model, column.field) })}`, column)}) end`

/**
 * Deletes rows, all or none. A server's children are deleted with it; a datastore's snapshots refer
 * to it only by name, and stay.
 */
export const removeRows = Effect.fn('InventoryWrites.remove')(function* (
  { database, watch }: Main,
  {
    model,
    rows,
    actor,
  }: { readonly model: WritableModel; readonly rows: ReadonlyArray<RowRemoval>; readonly actor: Actor },
): Effect.fn.Return<void, StoreFailed | RowNotFound | VersionChanged> {
  if (rows.length === 0) return
  const ids = rows.map(({ id }) => id)
  const writer = { origin: actor, watch }
  yield* database.transaction(rows.length === 1 ? `deleting a ${model}` : `deleting ${model}s`, async (trx) => {
    const locked = await (model === 'server' ? lockServers(trx, rows) : lockRows(trx, model, rows))
    if (locked instanceof Error) return locked
    await deleteRowsById(trx, model, { ids, writer })
    await foldChanges(trx, { model, ids, actor })
    await logMessages(trx, { model, actor, messages: messagesOf(rows, actor) })
    await recountTouchedGroups(trx, locked.groups.flat(), writer)
    if (model === 'job') await judgeEdited(trx, locked.servers)
    return undefined
  })
})

/** Locks servers with all their children. */
async function lockServers(
  db: Kysely<Tables>,
  rows: ReadonlyArray<RowRemoval>,
): Promise<LockedRows | RowNotFound | VersionChanged> {
  await lockPlaces({ scopes: [], deletedServers: rows.map(({ id }) => id) }).execute(db)
  return (await lockVersions(db, 'server', rows)) ?? { groups: [], servers: [] }
}

/**
 * Merges the log entries of an object that one request has written in two steps: a creation or
 * deletion absorbs the update next to it, two updates become one, and a change that the request
 * reverts disappears. Entries stay apart where another request has changed the object in between,
 * or where a reverted server had got child rows.
 */
async function foldChanges(
  db: Kysely<Tables>,
  { model, ids, actor }: { readonly model: ModelName; readonly ids: ReadonlyArray<number>; readonly actor: Actor },
): Promise<void> {
  const request = sql`${actor.requestId}::uuid`
  // Each entry finds the one before it in a window: a join would compare all with all.
  await sql`
    with mine as (
      select e.*, lag(e.id) over steps as first, lag(e.action) over steps as began, lag(e.before) over steps as began_with,
        lag(e.after) over steps as left_with, lead(e.id) over steps is null as is_last
      from changes e where e.request_id = ${request} and e.model = ${model} and e.object_id = any(${ids}::bigint[])
      window steps as (partition by e.object_id order by e.id)
    ), folded as (
      select l.first, l.id as last, l.title, l.began, l.action as ended, l.before || l.began_with as before, l.left_with || l.after as after
      from mine l where l.is_last and l.began <> 'delete' and not exists (
        select from changes x where x.model = l.model and x.object_id = l.object_id and x.id > l.first and x.request_id is distinct from ${request}
      ) and not (l.began = 'create' and l.action = 'delete' and exists (
        select from jsonb_each(l.counts) c where c.key <> 'task' and c.value <> '0'
      ))
    ), kept as materialized (
      select f.first as id, f.title, null::jsonb as before, f.after
      from folded f where f.began = 'create' and f.ended = 'update'
      union all
      select f.last, f.title, ${differingMembers(sql`f.before`, sql`f.after`)}, ${differingMembers(sql`f.after`, sql`f.before`)}
      from folded f where f.began = 'update' and f.ended = 'update' and f.before <> f.after
      union all
      select f.last, f.title, f.before, null from folded f where f.began = 'update' and f.ended = 'delete'
    ), dropped as (
      delete from changes where id in (
        select f.first from folded f union all select f.last from folded f except select k.id from kept k
      )
    )
    update changes c set title = k.title, before = k.before, after = k.after from kept k where c.id = k.id`.execute(db)
}
