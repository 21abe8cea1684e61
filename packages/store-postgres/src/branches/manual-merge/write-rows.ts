import type { FieldChange, ModelName } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { appendChanges, differingMembers, identity, type Origin } from '../../change-log/append-changes.ts'
import { partOfRow } from '../../change-log/logged-fields.ts'
import { jsonb } from '../../database/json.ts'
import type { Tables } from '../../database/tables.ts'
import { listColumn, listFrom } from '../../lists/list-columns.ts'
import { type Column, keyColumns, tables } from '../../tables/columns.ts'
import { nextVersion } from '../../tables/row-version.ts'
import { mergedColumns } from '../branch-columns.ts'

/** A row of main, and its changes. */
export interface RowChange {
  readonly id: number
  readonly fields: ReadonlyArray<FieldChange>
}

/**
 * Changes rows of main that are locked, each in fields of its own, with an entry in the log for
 * each. Returns how many.
 */
export async function writeRows(
  db: Kysely<Tables>,
  model: ModelName,
  { rows, origin }: { readonly rows: ReadonlyArray<RowChange>; readonly origin: Origin },
): Promise<number> {
  if (rows.length === 0) return 0
  const was = partOfRow(model, fieldsOf(rows), 'o')
  return await write(db, model, { rows, origin, more: [], was })
}

/**
 * The same for rows whose keys change. Rows may take each other's keys, so each first gets an
 * unused key; a row under a new key is the user's own from then on and keeps its last-seen time.
 * Fails when a key is taken.
 */
export async function renameRows(
  db: Kysely<Tables>,
  model: ModelName,
  { rows, origin }: { readonly rows: ReadonlyArray<RowChange>; readonly origin: Origin },
): Promise<number> {
  if (rows.length === 0) return 0
  const main = sql.table(tables[model])
  const ids = rows.map(({ id }) => id)
  const { name, field } = freedColumn(model)
  const { rows: before } = await sql<Found>`
    select o.id, ${sql.ref(`o.${name}`)} as freed, ${partOfRow(model, fieldsOf(rows).add(field), 'o')}::text as row from ${main} o where o.id = any(${ids}::bigint[])`.execute(
    db,
  )
  await freeKeys(db, model, ids)
  const first = new Map(before.map((found) => [found.id, found]))
  const more =
    model === 'server'
      ? []
      : [sql`presence = 'manual'`, sql`missing_since = null`, sql`last_seen_own = (${lastSeen(model)})`]
  const moved = rows.map(({ id, fields }) => {
    const { freed = null, row: was = null } = first.get(id) ?? {}
    const back = fields.some((change) => change.field === field) ? [] : [{ field, base: freed, value: freed }]
    return { id, fields: [...fields, ...back], was }
  })
  return await write(db, model, { rows: moved, origin, more, was: sql`r.was::jsonb` })
}

interface Found {
  readonly id: number
  /** The row's earlier value in the column that was freed. */
  readonly freed: string
  readonly row: string
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
  const freed = sql.id(freedColumn(model).name)
  await sql`update ${sql.table(tables[model])} set ${freed} = chr(1) || id where id = any(${ids}::bigint[])`.execute(db)
}

const fieldsOf = (rows: ReadonlyArray<RowChange>): Set<string> =>
  new Set(rows.flatMap(({ fields }) => fields.map(({ field }) => field)))

interface Writing {
  readonly rows: ReadonlyArray<RowChange & { readonly was?: string | null }>
  readonly origin: Origin
  /** Columns that are set in addition to the fields. */
  readonly more: ReadonlyArray<RawBuilder<unknown>>
  /** The earlier values of the fields for the log, of the row `o` of main and the change `r`. */
  readonly was: RawBuilder<unknown>
}

async function write(db: Kysely<Tables>, model: ModelName, { rows, origin, more, was }: Writing): Promise<number> {
  const main = sql.table(tables[model])
  const written = fieldsOf(rows)
  const columns = mergedColumns(model).filter(({ field }) => written.has(field))
  const values = rows.map(({ id, fields, was: first }) => ({
    id,
    values: Object.fromEntries(fields.map(({ field, value }) => [field, value])),
    was: first ?? null,
  }))
  const { rows: counted } = await sql<{ written: number }>`
    with r as materialized (
      select r.*, ${was} as first from jsonb_to_recordset(${jsonb(values)}) as r (id bigint, values jsonb, was text)
      join ${main} o on o.id = r.id
    ), written as (
      update ${main} m set ${sql.join([...columns.map(assignment), ...more, sql`last_updated = ${nextVersion(sql`m.last_updated`)}`])} from r where m.id = r.id
      returning ${identity(model, 'm')}, r.first, ${partOfRow(model, written, 'm')} as row
    ), touched as (
      select w.id, w.server_id, w.title, ${differingMembers(sql`w.first`, sql`w.row`)} as before,
        ${differingMembers(sql`w.row`, sql`w.first`)} as after, null::jsonb as counts
      from written w where w.first <> w.row
    ), logged as (${appendChanges('touched', 'update', model, { origin })})
    select count(*) as written from written`.execute(db)
  return counted[0]?.written ?? 0
}

function assignment({ field, name, type }: Column): RawBuilder<unknown> {
  const value =
    type === 'jsonb'
      ? sql`nullif(r.values -> ${field}::text, 'null')`
      : sql`(r.values ->> ${field}::text)::${sql.raw(type)}`
  return sql`${sql.id(name)} = case when r.values ? ${field}::text then ${value} else ${sql.ref(`m.${name}`)} end`
}

/** When the row `m` was last seen, as lists show it. */
function lastSeen(model: ModelName): RawBuilder<unknown> {
  const column = listColumn(model, 'last_seen_at')
  return column === undefined ? sql`null` : sql`select ${column.value} ${listFrom(model, [column])} where t.id = m.id`
}
