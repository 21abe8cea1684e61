import { type Actor, type ModelName, registryVersion } from '@netbox-pbs/core'
import type {
  BranchNotOpen,
  BranchOfRun,
  ExpectedVersions,
  StoreFailed,
  VersionChanged,
  WritableModel,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { branchTable, mergedColumns } from '../../branches/branch-columns.ts'
import { raiseRevision } from '../../branches/branch-record.ts'
import { childModels, highestChild } from '../../branches/server-tombstone.ts'
import type { Database } from '../../database/database.ts'
import type { Tables } from '../../database/tables.ts'
import { type Column, ofJson, tables } from '../../tables/columns.ts'
import { versionChanged } from '../../tables/row-version.ts'
import { lockObject, type ObjectRequest } from './locked-object.ts'
import { recountOverlayGroups } from './recount-groups.ts'

/** Deletes a row and its children in a branch; false: the branch shows no such row. */
export const removeEntry = Effect.fn('BranchWrites.remove')(function* (
  database: Database['Type'],
  branch: number,
  {
    model,
    id,
    actor,
    versions,
  }: {
    readonly model: WritableModel
    readonly id: number
    readonly actor: Actor
    readonly versions?: ExpectedVersions
  },
): Effect.fn.Return<boolean, StoreFailed | BranchNotOpen | BranchOfRun | VersionChanged> {
  const target = { branch, model, id }
  return yield* database.transaction(`deleting a ${model} in a branch`, async (trx) => {
    const locked = await lockObject(trx, target, { destination: (from) => from, deletes: true })
    if (locked instanceof Error) return locked
    if (locked === null) return false
    const changed = versionChanged(locked.object.version, versions)
    if (changed !== null) return changed
    if (model === 'server') await dropChildren(trx, branch, id)
    // A row that the branch created, or that main has lost, needs no tombstone.
    await (locked.object.main === null ? discard(trx, target) : tombstone(trx, target))
    await recountOverlayGroups(trx, branch, locked.groups)
    await raiseRevision(trx, branch, actor)
    return true
  })
})

async function discard(db: Kysely<Tables>, { branch, model, id }: ObjectRequest): Promise<void> {
  await sql`delete from ${branchTable(model)} where branch_id = ${branch}::bigint and id = ${id}::bigint`.execute(db)
}

type Tombstone = Omit<ObjectRequest, 'model'> & { readonly model: ModelName }

/**
 * Notes that a row of main is deleted, with the row as it is: of a field that the branch has
 * touched, as it first found it.
 */
async function tombstone(db: Kysely<Tables>, { branch, model, id }: Tombstone): Promise<void> {
  const columns = mergedColumns(model)
  const names = sql.join(columns.map(({ name }) => sql.id(name)))
  const values = sql.join(columns.map((column) => firstFound(column)))
  const childrenColumn = model === 'server' ? sql`, children` : sql``
  const highest = model === 'server' ? sql`, ${highestChild(sql`m.id`)}` : sql``
  const forgotten = model === 'server' ? sql`, children = excluded.children` : sql``
  const excluded = columns.map(({ name }) => sql`${sql.id(name)} = ${sql.ref(`excluded.${name}`)}`)
  await sql`
    insert into ${branchTable(model)} as t (branch_id, id, op, ${names}, presence, last_seen_own, registry_version${childrenColumn})
    select ${branch}::bigint, m.id, 'delete', ${values}, m.presence, m.last_seen_own, ${registryVersion}::bigint${highest}
    from ${sql.table(tables[model])} m left join ${branchTable(model)} e on e.branch_id = ${branch}::bigint and e.id = m.id
    where m.id = ${id}::bigint
    on conflict (branch_id, id) do update set op = 'delete', touched = '{}', base = '{}', ${sql.join(excluded)}, presence = excluded.presence,
      last_seen_own = excluded.last_seen_own, registry_version = excluded.registry_version, last_updated = now()${forgotten}`.execute(
    db,
  )
}

/**
 * What a row of main, `m`, had in a column when the entry `e` first touched it; as it is now where
 * there is no such entry.
 */
function firstFound(column: Column): RawBuilder<unknown> {
  const { field, name } = column
  return sql`case when e.base ? ${field}::text then ${ofJson(sql`e.base`, column)} else ${sql.ref(`m.${name}`)} end`
}

/**
 * Removes all of a branch's entries under a server. Rows that it has moved there from another
 * server are deleted with it.
 */
async function dropChildren(db: Kysely<Tables>, branch: number, server: number): Promise<void> {
  for (const model of childModels) {
    for (const id of await movedHere(db, { branch, model, server })) await tombstone(db, { branch, model, id })
    const main = sql`(select m.server_id from ${sql.table(tables[model])} m where m.id = e.id)`
    await sql`
      delete from ${branchTable(model)} e where e.branch_id = ${branch}::bigint and case
        when e.op = 'create' then e.server_id = ${server}::bigint
        when e.op = 'update' and 'server' = any(e.touched) then e.server_id = ${server}::bigint
        else coalesce(${main}, e.server_id) = ${server}::bigint end`.execute(db)
  }
  await sql`delete from branch_group_counts where branch_id = ${branch}::bigint and server_id = ${server}::bigint`.execute(
    db,
  )
}

/** Rows that main has below other servers, which the branch keeps. */
async function movedHere(
  db: Kysely<Tables>,
  { branch, model, server }: { readonly branch: number; readonly model: ModelName; readonly server: number },
): Promise<ReadonlyArray<number>> {
  const { rows } = await sql<{ id: number }>`
    select e.id from ${branchTable(model)} e join ${sql.table(tables[model])} m on m.id = e.id
    where e.branch_id = ${branch}::bigint and e.op = 'update' and 'server' = any(e.touched) and e.server_id = ${server}::bigint
      and m.server_id <> ${server}::bigint
      and not exists (select from branch_servers d where d.branch_id = e.branch_id and d.id = m.server_id and d.op = 'delete')`.execute(
    db,
  )
  return rows.map(({ id }) => id)
}
