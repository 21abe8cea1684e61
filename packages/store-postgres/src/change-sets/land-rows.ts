import type { ModelName, RowCounts } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Origin } from '../change-log/append-changes.ts'
import type { Tables } from '../database/tables.ts'
import {
  columnNames,
  comparedColumns,
  factColumns,
  keyColumns,
  ofJson,
  ownObservations,
  sameKey,
  tables,
} from '../tables/columns.ts'
import { nextVersion } from '../tables/row-version.ts'
import { placesOfRows, restoreAttached } from '../writes/detached-values.ts'
import {
  deleteRows,
  insertRows,
  type NewRows,
  type UpdatedRows,
  unlessTaken,
  updateRows,
} from '../writes/write-rows.ts'
import type { Writer } from '../writes/writer.ts'
import type { Held } from './land-held-deletions.ts'
import type { Window } from './parts.ts'

/**
 * Creates the staged rows of a window without looking for existing rows first, which would take a
 * third longer. If a user has created the same key since, that row takes the source's facts and is
 * listed from now on.
 */
export async function landCreates(
  db: Kysely<Tables>,
  model: ModelName,
  window: Window,
  origin: Origin,
): Promise<Pick<RowCounts, 'created' | 'updated'>> {
  const all = sql`from ${sql.table(`staged_${tables[model]}`)} w where ${window.rows} and w.op = 'create'`
  // It stops also when a key is staged twice.
  const made = await unlessTaken(db, () => insertRows(db, listedRows(model, 'w', all), 'stop'))
  const each = sql`from (${stagedCreates(model, window)}) s`
  const created = made ?? (await insertRows(db, listedRows(model, 's', each), 'leave out'))
  if (created > 0) await restoreAttached(db, model, sql`select ${placesOfRows(model)} ${all}`)
  return { created, updated: made === null ? await adopt(db, model, window, origin) : 0 }
}

/** Whether the compared columns of two rows differ; a model may have none. */
function differ(model: ModelName, a: string, b: string): RawBuilder<unknown> {
  const columns = comparedColumns(model)
  return columns.length === 0
    ? sql`false`
    : sql`(${columnNames(columns, a)}) is distinct from (${columnNames(columns, b)})`
}

/** The last of each key that a window creates. A key staged twice counts once. */
const stagedCreates = (model: ModelName, window: Window): RawBuilder<unknown> => {
  const key = keyColumns(model)
  return sql`
    select distinct on (${columnNames(key, 'w')}) w.* from ${sql.table(`staged_${tables[model]}`)} w
    where ${window.rows} and w.op = 'create' order by ${columnNames(key, 'w')}, w.seq desc`
}

/** The columns that a creation fills, first observations included where the row holds them itself. */
const createdColumns = (model: ModelName) => [
  ...keyColumns(model),
  ...comparedColumns(model),
  ...ownObservations(model),
]

/**
 * The id of a new row: the one it was staged with, in a branch, else the next. The sequence is
 * looked up once a statement.
 */
const idOf = (model: ModelName, alias: string): RawBuilder<unknown> =>
  sql`coalesce(${sql.ref(`${alias}.id`)}, nextval((select pg_get_serial_sequence(${tables[model]}, 'id')::regclass)))`

/** The rows that a sync makes of staged creations, which `from` has under an alias. */
const listedRows = (model: ModelName, alias: string, from: RawBuilder<unknown>): NewRows => ({
  model,
  from,
  id: idOf(model, alias),
  values: [
    ...createdColumns(model).map(({ name }) => ({ name, value: sql.ref(`${alias}.${name}`) })),
    { name: 'presence', value: sql`'listed'` },
  ],
})

/**
 * Gives the facts of a window's creations to rows that are there already, and lists them; those
 * just created are so. Returns how many.
 */
const adopt = (db: Kysely<Tables>, model: ModelName, window: Window, origin: Origin): Promise<number> =>
  updateRows(db, {
    model,
    changes: sql`
      select m.id, ${columnNames(factColumns(model), 's')} from (${stagedCreates(model, window)}) s
      join ${sql.table(tables[model])} m on ${sameKey(model, 'm', 's')} and (m.presence <> 'listed' or ${differ(model, 'm', 's')})`,
    columns: comparedColumns(model),
    touches: () => sql`true`,
    value: ({ name }) => sql.ref(`r.${name}`),
    more: [
      { name: 'presence', value: sql`'listed'` },
      { name: 'missing_since', value: sql`null` },
      {
        name: 'last_updated',
        value: sql`case when ${differ(model, 'm', 'r')} then ${nextVersion(sql`m.last_updated`)} else m.last_updated end`,
      },
    ],
    before: rowsAsTheyWere(model),
    where: sameKey(model, 'm', 'r'),
    origin,
  })

/** When the list of its scope last had the row of an alias: an expression in SQL. */
export type LastSeen = (model: ModelName, alias: string) => RawBuilder<unknown>

/** Whether row `m` has the key that a staged update was made for: its base, where the update changes the key itself. */
function baseKey(model: ModelName, fields: ReadonlySet<string>): RawBuilder<unknown> {
  const same = keyColumns(model).map((column) => {
    const value = sql.ref(`r.${column.name}`)
    const base = sql`case when ${touched(column.field)} then ${ofJson(sql`r.base`, column)} else ${value} end`
    return sql`${sql.ref(`m.${column.name}`)} = ${fields.has(column.field) ? base : value}`
  })
  return sql.join(same, sql` and `)
}

const touched = (field: string): RawBuilder<unknown> => sql`${sql.lit(field)} = any(r.touched)`

/**
 * The source of `before` in the log: main, where the scope's lock protects the model's facts from
 * other writers during a landing. Elsewhere a row is locked before it is read, so that the log has
 * the user's latest values.
 */
function rowsAsTheyWere(model: ModelName): UpdatedRows['before'] {
  const main = sql.table(tables[model])
  return model === 'namespace' || model === 'group' || model === 'snapshot'
    ? { rows: main }
    : {
        step: sql`, locked as materialized (select m.* from ${main} m join r on r.id = m.id for update of m)`,
        rows: sql.table('locked'),
      }
}

/**
 * Updates the touched columns of a window's rows, and lists those that were missing or made by a
 * user. `last_updated` of a row without touched columns stays.
 */
export async function landUpdates(
  db: Kysely<Tables>,
  model: ModelName,
  window: Window,
  origin: Origin,
): Promise<number> {
  const fields = await touchedFields(db, model, window)
  return await updateRows(db, {
    model,
    changes: sql`
      select distinct on (w.id) w.* from ${sql.table(`staged_${tables[model]}`)} w where ${window.rows} and w.op = 'update'
      order by w.id, w.seq desc`,
    columns: factColumns(model).filter(({ field }) => fields.has(field)),
    touches: touched,
    value: ({ name }) => sql.ref(`r.${name}`),
    more: [
      { name: 'presence', value: sql`'listed'` },
      { name: 'missing_since', value: sql`null` },
      // The source's new value ends the override.
      { name: 'overrides', value: sql`nullif(m.overrides - r.touched, '{}')` },
      {
        name: 'last_updated',
        value: sql`case when cardinality(r.touched) > 0 then ${nextVersion(sql`m.last_updated`)} else m.last_updated end`,
      },
    ],
    before: rowsAsTheyWere(model),
    where: sql`${baseKey(model, fields)}${nameIsFree(model)}`,
    origin,
  })
}

/** The fields that any update of a window touches: a statement that looks at each field of each row takes twice as long. */
async function touchedFields(db: Kysely<Tables>, model: ModelName, window: Window): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ field: string }>`
    select distinct unnest(w.touched) as field from ${sql.table(`staged_${tables[model]}`)} w where ${window.rows} and w.op = 'update'`.execute(
    db,
  )
  return new Set(rows.map(({ field }) => field))
}

/**
 * Only servers change their key by sync. A server whose new name a user has since given to another
 * one waits for the next run.
 */
const nameIsFree = (model: ModelName): RawBuilder<unknown> =>
  model === 'server' ? sql` and not exists (select from servers x where x.name = r.name and x.id <> m.id)` : sql``

/** Which staged deletions: those that land, or all, including held ones. */
type Deletions = 'delete' | 'all'

/**
 * Whether a sync may delete the row `m`: a source has listed it, or it is a server whose connection
 * was never completed.
 */
const mayDelete = (model: ModelName): RawBuilder<unknown> =>
  model === 'server' ? sql`m.endpoint_state = 'pending' and m.endpoint_id is null` : sql`m.presence <> 'manual'`

/**
 * The staged deletions of a window whose row may still be deleted: not one that a user has moved or
 * made its own since.
 */
const named = (model: ModelName, window: Window, which: Deletions): RawBuilder<unknown> =>
  sql`exists (
    select from ${sql.table(`staged_${tables[model]}`)} w
    where ${window.rows} and ${which === 'all' ? sql`w.op in ('delete', 'hold')` : sql`w.op = 'delete'`}
      and m.id = w.id and ${sameKey(model, 'm', 'w')} and ${mayDelete(model)}
  )`

/** Deletes the window's deletable rows, except those with synced child rows. */
export const landDeletes = (
  db: Kysely<Tables>,
  model: ModelName,
  window: Window,
  { deletable, writer }: { readonly deletable: RawBuilder<boolean>; readonly writer: Writer },
): Promise<number> => {
  const where = sql`${named(model, window, 'delete')} and ${deletable} and not ${hasSyncedChildren(model)}`
  return deleteRows(db, { model, where, writer })
}

/**
 * Keeps namespaces that the source no longer lists but in which a user has made rows, as if a user
 * had made them, and returns their number. Call it before `landDeletes`.
 */
export async function unlistNamespaces(
  db: Kysely<Tables>,
  window: Window,
  deletable: RawBuilder<boolean>,
  lastSeen: LastSeen,
): Promise<number> {
  const { numAffectedRows } = await sql`
    update namespaces m set presence = 'manual', missing_since = null, last_seen_own = ${lastSeen('namespace', 'm')}
    where ${named('namespace', window, 'delete')} and ${deletable} and not ${hasSyncedChildren('namespace')} and exists (
      select from groups g where g.server_id = m.server_id and g.datastore_name = m.datastore_name and g.namespace = m.path
    )`.execute(db)
  return Number(numAffectedRows ?? 0n)
}

/**
 * Keeps the remaining rows of a window's deletions as missing. Returns how many stay, and how many
 * of them were listed until now.
 */
export async function holdDeletes(
  db: Kysely<Tables>,
  model: ModelName,
  window: Window,
  { at, lastSeen }: { readonly at: string; readonly lastSeen: LastSeen },
): Promise<Held> {
  const { rows } = await sql<Held>`
    with waiting as (
      select m.id, m.presence from ${sql.table(tables[model])} m where ${named(model, window, 'all')}
    ), marked as (
      update ${sql.table(tables[model])} m
      set presence = 'missing', missing_since = coalesce(m.missing_since, ${at}::timestamptz), last_seen_own = case when m.presence = 'listed' then ${lastSeen(model, 'm')} else m.last_seen_own end
      from waiting where m.id = waiting.id and waiting.presence in ('listed', 'absent')
    )
    select count(*) as rows, count(*) filter (where presence in ('listed', 'absent')) as grown from waiting`.execute(db)
  return rows[0] ?? { rows: 0, grown: 0 }
}

/** Whether a deletion that lands may leave its row in main, because of child rows. */
export const isParent = (model: ModelName): boolean => model === 'namespace' || model === 'datastore'

/** A parent that its source lacks stays as missing while child rows from the source wait. */
function hasSyncedChildren(model: ModelName): RawBuilder<boolean> {
  const children = (table: string, on: RawBuilder<unknown>) =>
    sql<boolean>`exists (select from ${sql.table(table)} b where b.server_id = m.server_id and ${on} and b.presence <> 'manual')`
  if (model === 'namespace')
    return children('groups', sql`b.datastore_name = m.datastore_name and b.namespace = m.path`)
  if (!isParent(model)) return sql<boolean>`false`
  const ofStore = sql`b.datastore_name = m.name`
  return sql<boolean>`(${children('namespaces', ofStore)} or ${children('groups', ofStore)})`
}
