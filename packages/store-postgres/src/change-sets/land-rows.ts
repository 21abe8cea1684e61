import type { ModelName, RowCounts } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { type Column, comparedColumns, factColumns, keyColumns, tables } from '../inventory/columns.ts'
import type { Window } from './windows.ts'

const names = (columns: ReadonlyArray<Column>, alias?: string): RawBuilder<unknown> =>
  sql.join(columns.map(({ name }) => (alias === undefined ? sql.id(name) : sql.ref(`${alias}.${name}`))))

const sameKey = (model: ModelName, a: string, b: string): RawBuilder<unknown> =>
  sql.join(
    keyColumns(model).map(({ name }) => sql`${sql.ref(`${a}.${name}`)} = ${sql.ref(`${b}.${name}`)}`),
    sql` and `,
  )

/** Whether the compared columns of two rows differ; a model may have none. */
function differ(model: ModelName, a: string, b: string): RawBuilder<unknown> {
  const columns = comparedColumns(model)
  return columns.length === 0 ? sql`false` : sql`(${names(columns, a)}) is distinct from (${names(columns, b)})`
}

/**
 * Creates the staged rows of a window. A hand may have made the same key meanwhile: that row takes the source's facts and is listed from now on. A key staged twice
 * counts once, the last one.
 */
export async function landCreates(
  db: Kysely<Tables>,
  model: ModelName,
  window: Window,
): Promise<Pick<RowCounts, 'created' | 'updated'>> {
  const key = keyColumns(model)
  const compared = comparedColumns(model)
  const adopted = sql.join([
    ...compared.map(({ name }) => sql`${sql.id(name)} = excluded.${sql.id(name)}`),
    sql`presence = 'listed'`,
    sql`missing_since = null`,
    sql`last_updated = case when ${differ(model, 'm', 'excluded')} then now() else m.last_updated end`,
  ])
  const { rows } = await sql<{ created: number; updated: number }>`
    with written as (
      insert into ${sql.table(tables[model])} as m (${names([...key, ...compared])}, presence)
      select distinct on (${names(key, 'w')}) ${names([...key, ...compared], 'w')}, 'listed'
      from ${sql.table(`staged_${tables[model]}`)} w where ${window.rows} and w.op = 'create'
      order by ${names(key, 'w')}, w.seq desc
      on conflict (${names(key)}) do update set ${adopted}
      returning m.xmax = 0 as created
    )
    select count(*) filter (where created) as created, count(*) filter (where not created) as updated from written`.execute(
    db,
  )
  return rows[0] ?? { created: 0, updated: 0 }
}

/** Whether row `m` has the key that a staged update was made for: its base, where the update changes the key itself. */
function baseKey(model: ModelName): RawBuilder<unknown> {
  const same = keyColumns(model).map(
    ({ field, name, type }) =>
      sql`m.${sql.id(name)} = case when ${field}::text = any(s.touched) then (s.base ->> ${field}::text)::${sql.raw(type)} else s.${sql.id(name)} end`,
  )
  return sql.join(same, sql` and `)
}

/** Updates the touched columns of a window's rows, and lists those that were missing or made by hand. `last_updated` of a row without touched columns stays. */
export async function landUpdates(db: Kysely<Tables>, model: ModelName, window: Window): Promise<number> {
  const touched = factColumns(model).map(
    ({ field, name }) =>
      sql`${sql.id(name)} = case when ${field}::text = any(s.touched) then s.${sql.id(name)} else m.${sql.id(name)} end`,
  )
  const set = sql.join([
    ...touched,
    sql`presence = 'listed'`,
    sql`missing_since = null`,
    sql`last_updated = case when cardinality(s.touched) > 0 then now() else m.last_updated end`,
  ])
  const { numAffectedRows } = await sql`
    update ${sql.table(tables[model])} m set ${set}
    from (
      select distinct on (w.id) w.* from ${sql.table(`staged_${tables[model]}`)} w where ${window.rows} and w.op = 'update'
      order by w.id, w.seq desc
    ) s
    where m.id = s.id and ${baseKey(model)}${nameIsFree(model)}`.execute(db)
  return Number(numAffectedRows ?? 0n)
}

/** Servers alone change their key by sync. One whose new name a hand has given to another meanwhile waits for the next run. */
const nameIsFree = (model: ModelName): RawBuilder<unknown> =>
  model === 'server' ? sql` and not exists (select from servers x where x.name = s.name and x.id <> m.id)` : sql``

/** Which staged deletions: those that land, or all, those that wait by themselves included. */
type Deletions = 'delete' | 'all'

/** Whether row `m` may go by sync: one that a source has listed, and of the servers one that was being connected and never was. */
const mayGo = (model: ModelName): RawBuilder<unknown> =>
  model === 'server' ? sql`m.endpoint_state = 'pending' and m.endpoint_id is null` : sql`m.presence <> 'manual'`

/** The staged deletions of a window that still name a row which may go: not one that a hand has moved or made its own meanwhile. */
const named = (model: ModelName, window: Window, which: Deletions): RawBuilder<unknown> =>
  sql`exists (
    select from ${sql.table(`staged_${tables[model]}`)} w
    where ${window.rows} and ${which === 'all' ? sql`w.op in ('delete', 'hold')` : sql`w.op = 'delete'`}
      and m.id = w.id and ${sameKey(model, 'm', 'w')} and ${mayGo(model)}
  )`

/** Deletes the window's rows, except those with synced rows below them. */
export async function landDeletes(db: Kysely<Tables>, model: ModelName, window: Window): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from ${sql.table(tables[model])} m where ${named(model, window, 'delete')} and not ${hasSyncedBelow(model)}`.execute(
    db,
  )
  return Number(numAffectedRows ?? 0n)
}

/**
 * Namespaces that the source lists no longer, but in which a hand has made rows, stay with them as if made by hand. Returns how many. To be called before
 * `landDeletes`.
 */
export async function unlistNamespaces(db: Kysely<Tables>, window: Window, lastSeen: string | null): Promise<number> {
  const { numAffectedRows } = await sql`
    update namespaces m set presence = 'manual', missing_since = null, last_seen_own = ${lastSeen}::timestamptz
    where ${named('namespace', window, 'delete')} and not ${hasSyncedBelow('namespace')} and exists (
      select from groups g where g.server_id = m.server_id and g.datastore_name = m.datastore_name and g.namespace = m.path
    )`.execute(db)
  return Number(numAffectedRows ?? 0n)
}

/** Keeps the rows of a window's deletions that are still there as missing, and returns how many wait. `lastSeen` is when their scope's list last had them. */
export async function holdDeletes(
  db: Kysely<Tables>,
  model: ModelName,
  window: Window,
  { at, lastSeen }: { readonly at: string; readonly lastSeen: string | null },
): Promise<number> {
  const { rows } = await sql<{ held: number }>`
    with waiting as (
      select m.id, m.presence from ${sql.table(tables[model])} m where ${named(model, window, 'all')}
    ), marked as (
      update ${sql.table(tables[model])} m
      set presence = 'missing', missing_since = coalesce(m.missing_since, ${at}::timestamptz), last_seen_own = ${lastSeen}::timestamptz
      from waiting where m.id = waiting.id and waiting.presence = 'listed'
    )
    select count(*) as held from waiting`.execute(db)
  return rows[0]?.held ?? 0
}

/** A parent that its source lacks stays, as missing, while rows below it that came from the source wait. */
function hasSyncedBelow(model: ModelName): RawBuilder<boolean> {
  const below = (table: string, on: RawBuilder<unknown>) =>
    sql<boolean>`exists (select from ${sql.table(table)} b where b.server_id = m.server_id and ${on} and b.presence <> 'manual')`
  if (model === 'namespace') return below('groups', sql`b.datastore_name = m.datastore_name and b.namespace = m.path`)
  if (model !== 'datastore') return sql<boolean>`false`
  const ofStore = sql`b.datastore_name = m.name`
  return sql<boolean>`(${below('namespaces', ofStore)} or ${below('groups', ofStore)})`
}
