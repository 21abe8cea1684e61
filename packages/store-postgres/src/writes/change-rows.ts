import type { FieldValues, ModelName } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Origin } from '../change-log/append-changes.ts'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { lastSeenOf } from '../lists/list-columns.ts'
import { type Column, columnNames, editedColumns, keyColumns, ofJson, sameKey, tables } from '../tables/columns.ts'
import { nextVersion } from '../tables/row-version.ts'
import { type Assignment, updateRows } from './write-rows.ts'

/** A row of main, and the values that a user gives to some of its fields. */
export interface RowChange {
  readonly id: number
  /** By field. Those that are no columns of the row are passed over, except for `last_seen_at`. */
  readonly values: FieldValues
}

/** The place of the first row, in the order given, whose new key is taken. */
export interface TakenKey {
  readonly taken: number
}

/**
 * Changes rows of main, each in fields of its own, with an entry in the log for each, in the order
 * given. Name each row once, and lock the rows and their scopes. Returns how many were changed, or
 * the taken key; then none is changed.
 *
 * Rows may exchange their keys. Except for a server, a row under a new key becomes the user's own,
 * because no source has reported it, and keeps the time when it was last seen.
 */
export async function changeRows(
  db: Kysely<Tables>,
  model: ModelName,
  { rows, origin }: { readonly rows: ReadonlyArray<RowChange>; readonly origin: Origin },
): Promise<number | TakenKey> {
  if (rows.length === 0) return 0
  const given = new Set(rows.flatMap(({ values }) => Object.keys(values)))
  const renamed = keyColumns(model).some(({ field }) => given.has(field)) ? await newKeysOf(db, model, rows) : []
  const keys = new Map(renamed.map((key) => [key.id, key]))
  const taken = renamed.find(({ nth, holder }) => nth > 1 || (holder !== null && !keys.has(holder)))
  if (taken !== undefined) return { taken: taken.place }
  const freed = new Set(renamed.flatMap(({ holder }) => holder ?? []))
  await freeKeys(db, model, [...freed])
  const free = freedColumn(model)
  const changes = rows.map(({ id, values }, place) => {
    const was = freed.has(id) ? (keys.get(id)?.was ?? null) : null
    const back = was === null ? {} : { [free.field]: was }
    return { id, place, values: { ...back, ...values }, renamed: keys.has(id), was }
  })
  const touched = new Set(changes.flatMap(({ values }) => Object.keys(values)))
  return await updateRows(db, {
    model,
    changes: sql`
      select * from jsonb_to_recordset(${jsonb(changes)}) as r (id bigint, place bigint, values jsonb, renamed boolean, was text)`,
    columns: editedColumns(model).filter(({ field }) => touched.has(field)),
    touches: (field) => sql`r.values ? ${sql.lit(field)}`,
    value: (column) => ofJson(sql`r.values`, column),
    more: [
      ...(model === 'server' ? [] : ownershipOf(model, { seen: given.has('last_seen_at'), renamed: keys.size > 0 })),
      { name: 'last_updated', value: nextVersion(sql`m.last_updated`) },
    ],
    before: { rows: freed.size === 0 ? sql.table(tables[model]) : rowsBeforeFreed(model) },
    order: sql`r.place`,
    origin,
  })
}

/** The columns for the owner of a row and for when it was last seen. */
function ownershipOf(
  model: ModelName,
  { seen, renamed }: { readonly seen: boolean; readonly renamed: boolean },
): ReadonlyArray<Assignment> {
  const byUser = sql`when r.values ? 'last_seen_at' then (r.values ->> 'last_seen_at')::timestamptz`
  const kept = sql`when r.renamed then ${lastSeenOf(model, 'm')}`
  const lastSeenOwn = sql`case ${seen ? byUser : sql``} ${renamed ? kept : sql``} else m.last_seen_own end`
  return [
    ...(seen || renamed ? [{ name: 'last_seen_own', value: lastSeenOwn }] : []),
    ...(renamed
      ? [
          { name: 'presence', value: sql`case when r.renamed then 'manual' else m.presence end` },
          { name: 'missing_since', value: sql`case when r.renamed then null else m.missing_since end` },
        ]
      : []),
  ]
}

/** A key that a row does not have yet. */
interface NewKey {
  readonly place: number
  readonly id: number
  /** The row's present value in the column that `freeKeys` writes. */
  readonly was: string
  /** The row of main that has the key; null: none has it. */
  readonly holder: number | null
  /** Above 1: an earlier row gets the same key. */
  readonly nth: number
}

/** The keys that rows get, in the order given. */
async function newKeysOf(
  db: Kysely<Tables>,
  model: ModelName,
  rows: ReadonlyArray<RowChange>,
): Promise<ReadonlyArray<NewKey>> {
  const columns = keyColumns(model)
  const main = sql.table(tables[model])
  const fields = columns.map(({ field }) => field)
  const given = rows.map(({ id, values }, place) => ({
    id,
    place,
    values: Object.fromEntries(
      fields.flatMap((field) => (Object.hasOwn(values, field) ? [[field, values[field]]] : [])),
    ),
  }))
  const key = columns.map((column) => ({
    name: sql.id(column.name),
    was: sql.ref(`m.${column.name}`),
    value: sql`case when g.values ? ${column.field}::text then ${ofJson(sql`g.values`, column)} else ${sql.ref(`m.${column.name}`)} end`,
  }))
  const differs = key.map(({ value, was }) => sql`${value} <> ${was}`)
  const { rows: found } = await sql<NewKey>`
    with given as (
      select g.place, m.id, ${sql.ref(`m.${freedColumn(model).name}`)} as was, ${sql.join(key.map(({ name, value }) => sql`${value} as ${name}`))}
      from jsonb_to_recordset(${jsonb(given)}) as g (id bigint, place bigint, values jsonb) join ${main} m on m.id = g.id
      where ${sql.join(differs, sql` or `)}
    ), r as (
      select g.*, row_number() over (partition by ${columnNames(columns, 'g')} order by g.place) as nth from given g
    )
    select r.place, r.id, r.was, r.nth, (select x.id from ${main} x where ${sameKey(model, 'x', 'r')}) as holder from r order by r.place`.execute(
    db,
  )
  return found
}

/** The part of a key to free: the last that is text. */
const freedColumn = (model: ModelName): Column => {
  const column = keyColumns(model).findLast(({ type }) => type === 'text')
  if (column === undefined) throw new Error(`the key of a ${model} has no text`)
  return column
}

/**
 * Gives rows unused keys, so that others may take theirs. No text of a source begins with this
 * character.
 */
export async function freeKeys(db: Kysely<Tables>, model: ModelName, ids: ReadonlyArray<number>): Promise<void> {
  if (ids.length === 0) return
  const freed = sql.id(freedColumn(model).name)
  await sql`update ${sql.table(tables[model])} set ${freed} = chr(1) || id where id = any(${ids}::bigint[])`.execute(db)
}

/** The rows of the changes `r` as they were before keys of some were freed. */
function rowsBeforeFreed(model: ModelName): RawBuilder<unknown> {
  const free = freedColumn(model).name
  const columns = editedColumns(model).map(({ name }) =>
    name === free ? sql`coalesce(r.was, t.${sql.id(name)}) as ${sql.id(name)}` : sql`t.${sql.id(name)}`,
  )
  return sql`(select t.id, ${sql.join(columns)} from r join ${sql.table(tables[model])} t on t.id = r.id)`
}
