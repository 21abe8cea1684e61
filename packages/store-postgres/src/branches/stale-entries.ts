import type { ModelName } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { columnNames, factColumns, keyColumns, sameKey, tables } from '../tables/columns.ts'
import { branchTable, renamesKey } from './branch-columns.ts'

/** Entries of one model of a branch. */
export interface EntriesOf {
  readonly branch: number
  readonly model: ModelName
  /** A condition on the entry, which is `e`. */
  readonly where?: RawBuilder<unknown>
}

/** Not one that a merge under way has left out with its scope. */
const toMerge = sql`e.outcome is null`

/**
 * The entries of a branch of a sync that have to be compared with main, by id, which is core's
 * task: those whose row main has written since their base was read, those that main creates too,
 * those that claim another key, and those for which this is unknown. All other entries land as they
 * are.
 */
export async function staleEntries(
  db: Kysely<Tables>,
  { branch, model, where = sql`true` }: EntriesOf,
): Promise<ReadonlyArray<number>> {
  const main = sql.table(tables[model])
  const noServer = model === 'server' ? sql`false` : sql`not exists (select from servers v where v.id = e.server_id)`
  const { rows } = await sql<{ id: number }>`
    select e.id from ${branchTable(model)} e left join lateral (
      select m.id, m.xmin as version from ${main} m where m.id = e.id and e.op <> 'create'
      union all select m.id, m.xmin from ${main} m where e.op = 'create' and ${sameKey(model, 'm', 'e')}
    ) m on true
    where e.branch_id = ${branch}::bigint and ${toMerge} and ${where} and case e.op
      when 'create' then m.id is not null or ${noServer}
      else m.id is null or e.seen_version is null or m.version <> e.seen_version or ${renamesKey(model, 'e')}
    end
    order by e.id`.execute(db)
  return rows.map(({ id }) => id)
}

/** The entries that a check or a merge has to judge: of a person's branch all. */
export async function entriesToJudge(
  db: Kysely<Tables>,
  { author, branch, model }: EntriesOf & { readonly author: 'sync' | 'operator' },
): Promise<ReadonlyArray<number>> {
  return author === 'sync' ? await staleEntries(db, { branch, model }) : await allEntries(db, { branch, model })
}

/** All entries, by id. */
export async function allEntries(db: Kysely<Tables>, { branch, model }: EntriesOf): Promise<ReadonlyArray<number>> {
  const { rows } = await sql<{ id: number }>`
    select e.id from ${branchTable(model)} e where e.branch_id = ${branch}::bigint and ${toMerge} order by e.id`.execute(
    db,
  )
  return rows.map(({ id }) => id)
}

/** Models of which a user writes rows without the lock of a scope. */
const writtenFreely: ReadonlySet<ModelName> = new Set<ModelName>(['server', 'datastore', 'job'])

/**
 * Keeps edits from the rows that a branch changes until the end of the transaction, where the locks
 * of scopes do not. It locks in the order of ids, so that two transactions never wait for each
 * other.
 */
export async function lockTouched(db: Kysely<Tables>, { branch, model }: EntriesOf): Promise<void> {
  if (!writtenFreely.has(model)) return
  await sql`
    select from ${sql.table(tables[model])} m
    where m.id in (select e.id from ${branchTable(model)} e where e.branch_id = ${branch}::bigint) order by m.id for update`.execute(
    db,
  )
}

/** Stages in a part, as they are, the entries other than the given ones. Returns how many. */
export async function stageCurrent(
  db: Kysely<Tables>,
  { branch, model }: EntriesOf,
  { part, except }: { readonly part: number; readonly except: ReadonlyArray<number> },
): Promise<number> {
  const facts = factColumns(model)
  const { numAffectedRows } = await sql`
    insert into ${sql.table(`staged_${tables[model]}`)} (part_id, op, id, touched, base, ${columnNames(facts)})
    select ${part}::bigint, e.op, e.id, e.touched, e.base, ${columnNames(facts, 'e')} from ${branchTable(model)} e
    where e.branch_id = ${branch}::bigint and ${toMerge} and not exists (select from unnest(${except}::bigint[]) as u (id) where u.id = e.id)
    order by ${columnNames(keyColumns(model), 'e')}`.execute(db)
  return Number(numAffectedRows ?? 0n)
}

/**
 * The version of main's row `m` as an entry keeps it, when the row is as it was before a change set
 * was opened; else null. A row with overrides has another base than its own values.
 */
export const seenVersion = (changeSet: number): RawBuilder<unknown> => {
  const opened = (what: RawBuilder<unknown>) =>
    sql`(select ${what} from change_sets c where c.id = ${changeSet}::bigint)`
  return sql`
    case when m.overrides is null and age(m.xmin) > age(${opened(sql`pg_snapshot_xmax(c.opened_in)::xid`)})
      and m.xmin <> all(${opened(sql`array(select x::xid from pg_snapshot_xip(c.opened_in) x)`)}::xid[]) then m.xmin end`
}
