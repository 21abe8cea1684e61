import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { lockScope } from '../scopes/scope-locks.ts'
import { inScope, placeOf, type ScopePlace } from '../scopes/scope-place.ts'
import { columnNames, keyColumns, sameKey } from '../tables/columns.ts'
import { notingGuests } from '../writes/stale-guests.ts'
import type { MainWatch } from '../writes/writer.ts'
import { effective, entryOf } from './branch-columns.ts'
import { groupFields, recountBranchGroups } from './branch-groups.ts'
import { readTouches, touchesOneOf, touching } from './read-touches.ts'

const groupKey = keyColumns('group')

/**
 * The effects of main's writes on branches: groups that they have counted and staged become stale. Guests
 * are noted as well.
 */
export const branchWatch: MainWatch = notingGuests({
  groupsChanged: markStale,
  namespaceChanged: markNamespaceStale,
  snapshotsMoved: countArrived,
  serversDeleted: markRemoved,
})

/**
 * Marks the counters of some groups as stale in every branch, and clears the digests that they were
 * staged from, after main's snapshots have changed. `touched` selects the columns of their keys;
 * hold the locks of their scopes.
 */
async function markStale(db: Kysely<Tables>, touched: RawBuilder<unknown>): Promise<void> {
  // Usually no branch changes a snapshot, and the groups need not be determined.
  const { rows } = await sql<{ readonly counts: boolean; readonly digests: boolean }>`
    select exists (select from branch_group_counts) as counts, exists (select from branch_group_digests) as digests`.execute(
    db,
  )
  const of = sql`(select distinct * from (${touched}) x) t`
  if (rows[0]?.digests)
    await sql`delete from branch_group_digests d using ${of} where ${sameKey('group', 'd', 't')}`.execute(db)
  if (!rows[0]?.counts) return
  await sql`
    update branch_group_counts c set stale = true from ${of} where ${sameKey('group', 'c', 't')} and not c.stale`.execute(
    db,
  )
}

/** Marks all groups of a namespace as stale. */
async function markNamespaceStale(db: Kysely<Tables>, place: ScopePlace): Promise<void> {
  await sql`delete from branch_group_digests where ${inScope(place)}`.execute(db)
  await sql`update branch_group_counts c set stale = true where ${inScope(place)} and not c.stale`.execute(db)
}

/** Marks the groups of servers that main has lost as stale, with all their snapshots. */
async function markRemoved(db: Kysely<Tables>): Promise<void> {
  await sql`
    delete from branch_group_digests d where not exists (select from servers v where v.id = d.server_id)`.execute(db)
  await sql`
    update branch_group_counts c set stale = true where not c.stale and not exists (select from servers v where v.id = c.server_id)`.execute(
    db,
  )
}

/**
 * Finds the groups to which main has moved a snapshot that a branch changes, so that the branch
 * counts them too; it counts the snapshot's old group already. Hold the locks of their scopes.
 */
async function countArrived(db: Kysely<Tables>, groups: RawBuilder<unknown>): Promise<void> {
  const key = keyColumns('group')
  const names = sql.join(key.map(({ name }) => sql.id(name)))
  const from = (alias: string) => sql.join(key.map(({ name }) => sql.ref(`${alias}.${name}`)))
  await sql`
    with k as materialized (${groups}), b as materialized (
      select distinct c.branch_id from branch_group_counts c join k on ${sameKey('group', 'c', 'k')}
    )
    insert into branch_group_counts (branch_id, ${names}, snapshot_count, stale)
    select b.branch_id, ${from('k')}, 0, true from b cross join k
    where exists (
      select from snapshots s join branch_snapshots e on e.branch_id = b.branch_id and e.id = s.id where ${sameKey('group', 's', 'k')}
    )
    on conflict do nothing`.execute(db)
}

/**
 * Marks the counters of the groups in which a branch has some snapshot entries as stale, before
 * these entries change.
 */
export async function markEntriesStale(db: Kysely<Tables>, branch: number, ids: ReadonlyArray<number>): Promise<void> {
  if (ids.length === 0) return
  await sql`
    update branch_group_counts c set stale = true from (
      select distinct ${columnNames(keyColumns('group'), 'e')} from branch_snapshots e
      where e.branch_id = ${branch}::bigint and e.id = any(${ids}::bigint[])
    ) t where c.branch_id = ${branch}::bigint and ${sameKey('group', 'c', 't')} and not c.stale`.execute(db)
}

/**
 * Marks all groups of a new branch for a recount: those of its snapshots as it has them, and as main
 * has them.
 */
export async function markAllStale(db: Kysely<Tables>, branch: number): Promise<void> {
  await sql`
    insert into branch_group_counts (branch_id, ${columnNames(groupKey)}, snapshot_count, stale)
    select distinct ${branch}::bigint, ${columnNames(groupKey, 'x')}, 0, true from (
      select ${columnNames(groupKey, 'e')} from branch_snapshots e where e.branch_id = ${branch}::bigint
      union all select ${columnNames(groupKey, 'm')} from branch_snapshots e join snapshots m on m.id = e.id
        where e.branch_id = ${branch}::bigint and e.op <> 'create'
    ) x on conflict do nothing`.execute(db)
}

/**
 * Marks the groups of some of a branch's snapshots for a recount: those of the entries that the
 * same statement writes in a step `written`, with `id`, `op` and key. Each has up to three in this
 * place: its present and its earlier group in the branch, and its group in main; hold the scope's
 * lock.
 */
export function groupsOfWritten(branch: number, place: ScopePlace): RawBuilder<unknown> {
  const key = keyColumns('group')
  // Steps of one statement see the tables as they were before it.
  return sql`
    insert into branch_group_counts as c (branch_id, ${columnNames(key)}, snapshot_count, stale)
    select distinct ${branch}::bigint, ${columnNames(key, 'x')}, 0, true from (
      select ${columnNames(key, 'w')} from written w
      union all select ${columnNames(key, 'e')} from written w cross join lateral ${entryOf(branch, 'snapshot', sql`w.id`)}
      union all select ${columnNames(key, 'm')} from written w cross join lateral (
        select m.* from snapshots m where m.id = w.id and w.op <> 'create' offset 0
      ) m
    ) x where ${inScope(place)}
    on conflict (branch_id, ${columnNames(key)}) do update set stale = true where not c.stale`
}

/** Groups of one statement at most: on the embedded engine a statement keeps the process from anything else. */
const groupsAtOnce = { pglite: 50, pg: 2000 } as const

/** Counts the groups of a branch whose snapshots main has changed since; a reader of counters calls it first. */
export const recountStale = Effect.fn('Branches.recountStale')(function* (
  database: Database['Type'],
  branch: number,
): Effect.fn.Return<void, StoreFailed> {
  const operation = 'counting the groups of a branch'
  const { moves, places } = yield* database.query(operation, async (db) => {
    const moves = await movesBetweenGroups(db, branch)
    return { moves, places: await stalePlaces(db, branch, moves) }
  })
  // Locks one scope at a time, to avoid a deadlock with a caller that locks several.
  const each = (work: (trx: Kysely<Tables>, place: ScopePlace) => Promise<void>) =>
    Effect.forEach(
      places,
      (place) =>
        database.transaction(operation, async (trx) => {
          await lockScope(place).execute(trx)
          await work(trx, place)
        }),
      { discard: true },
    )
  // All are marked before the first is counted, or another reader would take those that are not marked yet as counted.
  if (moves !== null) yield* each((trx, place) => markGroups(trx, branch, place, moves))
  yield* each((trx, place) => recountMarked(trx, database.engine, branch, place))
})

/**
 * The groups of the rows that a branch moves between groups: where the branch has them, last had
 * them, and where main has them. Null: it moves none.
 */
async function movesBetweenGroups(db: Kysely<Tables>, branch: number): Promise<RawBuilder<unknown> | null> {
  const moves = touching((await readTouches(db, branch, 'snapshot')).updates, groupFields)
  if (moves.length === 0) return null
  const now = groupKey.map((column) => sql`${effective(column)} as ${sql.id(column.name)}`)
  const which = sql`e.branch_id = ${branch}::bigint and e.op = 'update' and ${touchesOneOf(moves)}`
  return sql`
    select ${sql.join(now)} from branch_snapshots e left join snapshots m on m.id = e.id where ${which}
    union select ${columnNames(groupKey, 'e')} from branch_snapshots e where ${which}
    union select ${columnNames(groupKey, 'm')} from branch_snapshots e join snapshots m on m.id = e.id where ${which}`
}

/**
 * The namespaces with groups to recount. Where main's rows have changed, rows that the branch moved
 * elsewhere may have changed too.
 */
async function stalePlaces(
  db: Kysely<Tables>,
  branch: number,
  moves: RawBuilder<unknown> | null,
): Promise<ReadonlyArray<ScopePlace>> {
  const stale = sql`select c.* from branch_group_counts c where c.branch_id = ${branch}::bigint and c.stale`
  const place = sql`x.server_id, x.datastore_name, x.namespace`
  const also = moves === null ? sql`` : sql` union select ${place} from (${moves}) x where exists (${stale})`
  const { rows } = await sql<
    Pick<ScopePlace, 'server_id' | 'datastore_name' | 'namespace'>
  >`select ${place} from (${stale}) x${also}`.execute(db)
  return rows.map((row) => placeOf('snapshots', row))
}

/** Recounts groups of a namespace. `groups` selects keys of groups, of other namespaces too. */
async function markGroups(
  db: Kysely<Tables>,
  branch: number,
  place: ScopePlace,
  groups: RawBuilder<unknown>,
): Promise<void> {
  await sql`
    insert into branch_group_counts (branch_id, ${columnNames(groupKey)}, snapshot_count, stale)
    select distinct ${branch}::bigint, ${columnNames(groupKey, 'g')}, 0, true from (${groups}) g where ${inScope(place)}
    on conflict (branch_id, ${columnNames(groupKey)}) do update set stale = true`.execute(db)
}

interface GroupName {
  readonly backup_type: string
  readonly backup_id: string
}

/**
 * Counts the marked groups, some at a time, in the order of their names, so that a group that stays
 * marked is not met again. Hold the scope's lock.
 */
export async function recountMarked(
  db: Kysely<Tables>,
  engine: Database['Type']['engine'],
  branch: number,
  place: ScopePlace,
): Promise<void> {
  const size = groupsAtOnce[engine]
  for (let after: GroupName | undefined = { backup_type: '', backup_id: '' }; after !== undefined; ) {
    const { backup_type, backup_id }: GroupName = after
    const { rows } = await sql<GroupName>`
      select c.backup_type, c.backup_id from branch_group_counts c where c.branch_id = ${branch}::bigint and ${inScope(place)} and c.stale
        and (c.backup_type, c.backup_id) > (${backup_type}::text, ${backup_id}::text)
      order by c.backup_type, c.backup_id limit ${size}`.execute(db)
    if (rows.length > 0) await recountBranchGroups(db, branch, place, named(rows))
    after = rows.length < size ? undefined : rows.at(-1)
  }
}

const named = (groups: ReadonlyArray<GroupName>): RawBuilder<unknown> => sql`
  select * from unnest(${groups.map(({ backup_type }) => backup_type)}::text[], ${groups.map(({ backup_id }) => backup_id)}::text[])
    as k (backup_type, backup_id)`
