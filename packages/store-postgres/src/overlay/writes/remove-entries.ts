import { type Actor, type ModelName, registryVersion } from '@netbox-pbs/core'
import type {
  BranchNotOpen,
  BranchOfRun,
  RowNotFound,
  RowRemoval,
  StoreFailed,
  VersionChanged,
  WritableModel,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { branchTable, mergedColumns } from '../../branches/branch-columns.ts'
import { recountOverlayGroups } from '../../branches/branch-groups.ts'
import { raiseRevision } from '../../branches/branch-record.ts'
import { childModels, highestChild } from '../../branches/read-entries.ts'
import { messagesOf } from '../../change-log/log-messages.ts'
import type { Database } from '../../database/database.ts'
import type { Tables } from '../../database/tables.ts'
import { type Column, ofJson, tables } from '../../tables/columns.ts'
import { keepMessages } from './keep-messages.ts'
import { lockObjects } from './lock-objects.ts'

/** Deletes rows and their children in a branch, all or none. */
export const removeEntries = Effect.fn('BranchWrites.remove')(function* (
  database: Database['Type'],
  branch: number,
  {
    model,
    rows,
    actor,
  }: { readonly model: WritableModel; readonly rows: ReadonlyArray<RowRemoval>; readonly actor: Actor },
): Effect.fn.Return<void, StoreFailed | RowNotFound | BranchNotOpen | BranchOfRun | VersionChanged> {
  const target = { branch, model }
  const what = rows.length === 1 ? `a ${model}` : `${model}s`
  yield* database.transaction(`deleting ${what} in a branch`, async (trx) => {
    const locked = await lockObjects(trx, target, { rows, deletes: true })
    if (locked instanceof Error) return locked
    const { objects, groups } = locked
    if (objects.length === 0) return undefined
    if (model === 'server')
      await dropChildren(
        trx,
        branch,
        rows.map(({ id }) => id),
      )
    // A row that the branch created, or that main has lost, needs no tombstone.
    await discard(
      trx,
      target,
      objects.filter(({ object }) => object.main === null).map(({ id }) => id),
    )
    await tombstone(
      trx,
      target,
      objects.filter(({ object }) => object.main !== null).map(({ id }) => id),
    )
    await recountOverlayGroups(trx, branch, groups)
    await keepMessages(trx, target, messagesOf(rows, actor))
    await raiseRevision(trx, branch, actor)
    return undefined
  })
})

interface Entries {
  readonly branch: number
  readonly model: ModelName
}

async function discard(db: Kysely<Tables>, { branch, model }: Entries, ids: ReadonlyArray<number>): Promise<void> {
  if (ids.length === 0) return
  await sql`
    delete from ${branchTable(model)} where branch_id = ${branch}::bigint and id = any(${ids}::bigint[])`.execute(db)
}

/**
 * Notes that rows of main are deleted, with each row as it is: of a field that the branch has
 * touched, as it first found it.
 */
async function tombstone(db: Kysely<Tables>, { branch, model }: Entries, ids: ReadonlyArray<number>): Promise<void> {
  if (ids.length === 0) return
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
    where m.id = any(${ids}::bigint[])
    on conflict (branch_id, id) do update set op = 'delete', touched = '{}', base = '{}', ${sql.join(excluded)}, presence = excluded.presence,
      last_seen_own = excluded.last_seen_own, registry_version = excluded.registry_version, last_updated = now()${forgotten}`.execute(
    db,
  )
}

/**
 * The value of a column of main's row `m` when the entry `e` first touched it; its present value if
 * there is no such entry.
 */
function firstFound(column: Column): RawBuilder<unknown> {
  const { field, name } = column
  return sql`case when e.base ? ${field}::text then ${ofJson(sql`e.base`, column)} else ${sql.ref(`m.${name}`)} end`
}

/**
 * Removes all of a branch's entries under servers. Rows that it has moved there from another server
 * are deleted with them.
 */
async function dropChildren(db: Kysely<Tables>, branch: number, servers: ReadonlyArray<number>): Promise<void> {
  const ids = sql`any(${servers}::bigint[])`
  for (const model of childModels) {
    await tombstone(db, { branch, model }, await movedHere(db, { branch, model }, servers))
    const main = sql`(select m.server_id from ${sql.table(tables[model])} m where m.id = e.id)`
    await sql`
      delete from ${branchTable(model)} e where e.branch_id = ${branch}::bigint and case
        when e.op = 'create' then e.server_id = ${ids}
        when e.op = 'update' and 'server' = any(e.touched) then e.server_id = ${ids}
        else coalesce(${main}, e.server_id) = ${ids} end`.execute(db)
  }
  await sql`delete from branch_group_counts where branch_id = ${branch}::bigint and server_id = ${ids}`.execute(db)
}

/** Rows that main has below other servers, which the branch keeps. */
async function movedHere(
  db: Kysely<Tables>,
  { branch, model }: Entries,
  servers: ReadonlyArray<number>,
): Promise<ReadonlyArray<number>> {
  const { rows } = await sql<{ id: number }>`
    select e.id from ${branchTable(model)} e join ${sql.table(tables[model])} m on m.id = e.id
    where e.branch_id = ${branch}::bigint and e.op = 'update' and 'server' = any(e.touched) and e.server_id = any(${servers}::bigint[])
      and not (m.server_id = any(${servers}::bigint[]))
      and not exists (select from branch_servers d where d.branch_id = e.branch_id and d.id = m.server_id and d.op = 'delete')`.execute(
    db,
  )
  return rows.map(({ id }) => id)
}
