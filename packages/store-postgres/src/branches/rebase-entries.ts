import { type FieldValues, registryVersion } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { jsonb } from '../database/json.ts'
import type { Tables } from '../database/tables.ts'
import { columnNames, ofJson, tables } from '../tables/columns.ts'
import { branchTable, mergedColumns } from './branch-columns.ts'
import { childModels } from './server-tombstone.ts'
import type { EntriesOf } from './stale-entries.ts'

/**
 * An entry that says the same as an update of main's row as it is now: of each touched field main's
 * value, and the one it gets.
 */
export interface RebasedUpdate {
  readonly id: number
  readonly mainId: number
  readonly before: FieldValues
  readonly after: FieldValues
}

/** Takes entries out of a branch. */
export async function dropEntries(db: Kysely<Tables>, { branch, model }: EntriesOf, ids: ReadonlyArray<number>) {
  if (ids.length === 0) return
  await sql`delete from ${branchTable(model)} where branch_id = ${branch}::bigint and id = any(${ids}::bigint[])`.execute(
    db,
  )
}

/**
 * Makes entries updates of main's rows as they are now. A creation whose key main has by now
 * becomes an update of main's row.
 */
export async function rebaseUpdates(
  db: Kysely<Tables>,
  { branch, model }: EntriesOf,
  updates: ReadonlyArray<RebasedUpdate>,
): Promise<void> {
  if (updates.length === 0) return
  const rows = updates.map(({ id, mainId, before, after }) => ({ id, main_id: mainId, before, after }))
  const columns = mergedColumns(model).map((column) => {
    const { field, name } = column
    return sql`${sql.id(name)} = case when r.after ? ${field}::text then ${ofJson(sql`r.after`, column)} else ${sql.ref(`m.${name}`)} end`
  })
  await sql`
    update ${branchTable(model)} e set op = 'update', id = r.main_id, touched = array(select jsonb_object_keys(r.after)), base = r.before,
      observation = null, ${renewed}, ${sql.join(columns)}
    from jsonb_to_recordset(${jsonb(rows)}) as r (id bigint, main_id bigint, before jsonb, after jsonb)
    join ${sql.table(tables[model])} m on m.id = r.main_id
    where e.branch_id = ${branch}::bigint and e.id = r.id`.execute(db)
  const adopted = updates.filter(({ id, mainId }) => id !== mainId)
  if (model === 'server') await pointChildren(db, branch, adopted)
}

/** Makes entries whose rows main has lost creations of them, under ids of their own. */
export async function rebaseCreates(
  db: Kysely<Tables>,
  { branch, model }: EntriesOf,
  ids: ReadonlyArray<number>,
): Promise<void> {
  if (ids.length === 0) return
  const { rows } = await sql<{ id: number; mainId: number }>`
    with n as materialized (
      select u.id, nextval(pg_get_serial_sequence(${tables[model]}, 'id')) as next from unnest(${ids}::bigint[]) as u (id)
    )
    update ${branchTable(model)} e set op = 'create', id = n.next, touched = '{}', base = '{}', ${renewed}
    from n where e.branch_id = ${branch}::bigint and e.id = n.id returning n.id, n.next as "mainId"`.execute(db)
  if (model === 'server') await pointChildren(db, branch, rows)
}

/** Makes deletions those of main's rows as they are now. */
export async function rebaseDeletes(
  db: Kysely<Tables>,
  { branch, model }: EntriesOf,
  ids: ReadonlyArray<number>,
): Promise<void> {
  if (ids.length === 0) return
  const columns = mergedColumns(model)
  await sql`
    update ${branchTable(model)} e set ${renewed}, (${columnNames(columns)}) = row(${columnNames(columns, 'm')})
    from ${sql.table(tables[model])} m
    where e.branch_id = ${branch}::bigint and e.id = any(${ids}::bigint[]) and m.id = e.id`.execute(db)
}

/** Main may change between the read of an entry and this step; a later comparison detects that. */
const renewed: RawBuilder<unknown> = sql`registry_version = ${registryVersion}::bigint, last_updated = greatest(now(), e.last_updated + interval '1 microsecond'), seen_version = null`

/** Points what a branch has below servers to the ids that these have now. */
export async function pointChildren(
  db: Kysely<Tables>,
  branch: number,
  servers: ReadonlyArray<{ readonly id: number; readonly mainId: number }>,
): Promise<void> {
  for (const { id, mainId } of servers) {
    for (const model of childModels) {
      await sql`
        update ${branchTable(model)} set server_id = ${mainId}::bigint
        where branch_id = ${branch}::bigint and server_id = ${id}::bigint`.execute(db)
    }
  }
}
