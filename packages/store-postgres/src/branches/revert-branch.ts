import { type Branch, branchAllows, branchedModels, type ModelName, registryVersion } from '@netbox-pbs/core'
import {
  type Branches,
  BranchNameTaken,
  BranchNotFound,
  BranchNotMerged,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { plainValue } from '../change-log/append-changes.ts'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import {
  type Column,
  columnNames,
  defaultValue,
  keyColumns,
  ofJson,
  operatorColumns,
  tables,
} from '../tables/columns.ts'
import { branchTable, mergedColumns } from './branch-columns.ts'
import { compareBranch } from './check-branch.ts'
import { logOpened } from './log-branch.ts'
import { newSchemaId } from './open-and-close.ts'
import { markAllStale } from './stale-groups.ts'

/**
 * Opens a branch that reverts a merged one, and compares it with main: later edits are its
 * conflicts.
 */
export const revertBranch = Effect.fn('Branches.revert')(function* (
  database: Database['Type'],
  { id, name, user, commit, by }: Parameters<Branches['Type']['revert']>[0],
): Effect.fn.Return<Branch, StoreFailed | BranchNotFound | BranchNotMerged | BranchNameTaken> {
  return yield* database.transaction(
    'reverting a branch',
    async (trx) => {
      const refused = await whyNotReverted(trx, id)
      if (refused !== null) return refused
      const into = await open(trx, { id, name, user })
      if (into === null) return new BranchNameTaken({ name })
      await invertRows(trx, { merged: id, into })
      await markAllStale(trx, into)
      const branch = await compareBranch(trx, { id: into, kind: 'revert' })
      await logOpened(trx, branch, by)
      return branch
    },
    { commit },
  )
})

/** Locks a branch that is to be reverted; returns why it cannot be, null: it can. */
async function whyNotReverted(db: Kysely<Tables>, id: number): Promise<BranchNotFound | BranchNotMerged | null> {
  const { rows } = await sql<Pick<Branch, 'status'>>`
    select status from branches where id = ${Number.isSafeInteger(id) ? id : 0}::bigint for share`.execute(db)
  const [branch] = rows
  if (branch === undefined) return new BranchNotFound({ id })
  return branchAllows(branch, 'revert') ? null : new BranchNotMerged({ id, status: branch.status })
}

/** Opens the branch; null: the name is taken. */
async function open(
  db: Kysely<Tables>,
  { id, name, user }: { readonly id: number; readonly name: string; readonly user: string },
): Promise<number | null> {
  const { rows } = await sql<{ id: number }>`
    insert into branches (schema_id, name, kind, user_name, reverts) values (${newSchemaId()}, ${name}, 'revert', ${user}, ${id}::bigint)
    on conflict do nothing returning id`.execute(db)
  return rows[0]?.id ?? null
}

/** A merged branch, and the new one that gets its inverse. */
interface Inversion {
  readonly merged: number
  readonly into: number
}

/**
 * Fills a branch with the inverse of a merged branch. Servers come first, because the rows under a
 * deleted server are deleted with it.
 */
async function invertRows(db: Kysely<Tables>, inversion: Inversion): Promise<void> {
  for (const model of branchedModels) {
    await invertCreates(db, model, inversion)
    await invertUpdates(db, model, inversion)
    await invertDeletes(db, model, inversion)
  }
}

/**
 * `landed`: the entries of a merged branch with their outcomes. `did` is the operation, `main_id` the
 * row of main that it changed, `before` and `after` the fields of an update; entries below a server
 * that the inverse deletes are left to the deletion of the server.
 */
function landed(model: ModelName, { merged, into }: Inversion): RawBuilder<unknown> {
  const values = mergedColumns(model).flatMap((column) => [sql.lit(column.field), plainValue(column, 'e')])
  const touchedValues = sql`(
    select jsonb_object_agg(v.key, v.value) from jsonb_each(jsonb_build_object(${sql.join(values)})) v where v.key = any(e.touched)
  )`
  const underKeptServer =
    model === 'server'
      ? sql`true`
      : sql`not exists (select from branch_servers d where d.branch_id = ${into}::bigint and d.op = 'delete' and d.id = e.server_id)`
  return sql`landed as materialized (
    select e.*, coalesce((e.outcome ->> 'id')::bigint, e.id) as main_id,
      case when e.outcome = '{}' then 'nothing' else coalesce(e.outcome ->> 'op', e.op) end as did,
      case when e.outcome is null then e.base else coalesce(e.outcome -> 'before', '{}') end as before,
      case when e.outcome is null then ${touchedValues} else e.outcome -> 'after' end as after
    from ${branchTable(model)} e where e.branch_id = ${merged}::bigint and ${underKeptServer}
  )`
}

/**
 * A column of an entry, as main had it; empty for the columns that people own, where a source
 * created the row.
 */
function asLanded(model: ModelName, { field, name }: Column): RawBuilder<unknown> {
  const owned = operatorColumns(model).some((column) => column.name === name)
  const fallback = defaultValue(model, field)
  return owned && fallback !== null ? sql`coalesce(${sql.ref(`e.${name}`)}, ${fallback})` : sql.ref(`e.${name}`)
}

/**
 * Reverts creations: deletes the row as it landed. For a server, `children` records which rows the
 * merge created under it; any other row came later.
 */
async function invertCreates(db: Kysely<Tables>, model: ModelName, inversion: Inversion): Promise<void> {
  const columns = mergedColumns(model)
  const createdChildren = branchedModels
    .filter((of) => of !== 'server')
    .flatMap((of) => [
      sql.lit(of),
      sql`coalesce((
        select max(b.id) from ${branchTable(of)} b where b.branch_id = ${inversion.merged}::bigint and b.op = 'create' and b.server_id = e.main_id
      ), 0)`,
    ])
  const more = {
    name: model === 'server' ? sql`, children` : sql``,
    value: model === 'server' ? sql`, jsonb_build_object(${sql.join(createdChildren)})` : sql``,
  }
  const values = sql.join(columns.map((column) => asLanded(model, column)))
  await sql`
    with ${landed(model, inversion)}
    insert into ${branchTable(model)} (branch_id, id, op, registry_version, presence, last_seen_own, ${columnNames(columns)}${more.name})
    select ${inversion.into}::bigint, e.main_id, 'delete', ${registryVersion}::bigint, e.presence, e.last_seen_own, ${values}${more.value}
    from landed e where e.did = 'create'`.execute(db)
}

/** Reverts updates: touched fields get their earlier values, all others main's present values. */
async function invertUpdates(db: Kysely<Tables>, model: ModelName, inversion: Inversion): Promise<void> {
  const columns = mergedColumns(model)
  const key = new Set(keyColumns(model).map(({ name }) => name))
  const values = columns.map((column) => {
    const { field, name } = column
    // The keys are those that were there together before the merge: main's as it is now could meet one that comes back.
    const other = key.has(name)
      ? sql.ref(`e.${name}`)
      : sql`case when m.id is null then ${asLanded(model, column)} else ${sql.ref(`m.${name}`)} end`
    return sql`case when e.before ? ${field}::text then ${ofJson(sql`e.before`, column)} else ${other} end`
  })
  await sql`
    with ${landed(model, inversion)}
    insert into ${branchTable(model)} (branch_id, id, op, registry_version, touched, base, presence, ${columnNames(columns)})
    select ${inversion.into}::bigint, e.main_id, 'update', ${registryVersion}::bigint, array(select jsonb_object_keys(e.before)), e.after,
      coalesce(m.presence, e.presence), ${sql.join(values)}
    from landed e left join ${sql.table(tables[model])} m on m.id = e.main_id
    where e.did = 'update' and e.before <> '{}'`.execute(db)
}

/**
 * Reverts deletions: creates the row again under a new id. Its source can list it again; a restored
 * server exists in the inventory only.
 */
async function invertDeletes(db: Kysely<Tables>, model: ModelName, inversion: Inversion): Promise<void> {
  const columns = mergedColumns(model)
  const values = columns.map((column) => {
    if (column.field === 'endpoint_id') return sql`null::bigint`
    if (column.field === 'endpoint_state') return sql`'none'`
    return sql`case when e.before ? ${column.field}::text then ${ofJson(sql`e.before`, column)} else ${asLanded(model, column)} end`
  })
  await sql`
    with ${landed(model, inversion)}
    insert into ${branchTable(model)} (branch_id, id, op, registry_version, presence, last_seen_own, ${columnNames(columns)})
    select ${inversion.into}::bigint, nextval(pg_get_serial_sequence(${tables[model]}, 'id')), 'create', ${registryVersion}::bigint,
      case e.presence when 'manual' then 'manual' else 'listed' end, e.last_seen_own, ${sql.join(values)}
    from landed e where e.did = 'delete'`.execute(db)
}
