import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { lockScope } from '../scopes/scope-locks.ts'
import { inScope, placeOf, type ScopePlace } from '../scopes/scope-place.ts'
import { columnNames, keyColumns } from '../tables/columns.ts'
import { effective } from './branch-columns.ts'
import { groupFields, recountBranchGroups } from './branch-groups.ts'
import { readTouches, touchesOneOf, touching } from './read-touches.ts'

const groupKey = keyColumns('group')

/** Groups of one statement at most: on the embedded engine a statement keeps the process from anything else. */
const groupsAtOnce = { pglite: 50, pg: 2000 } as const

/** Counts the groups of a branch whose snapshots main has changed since: what a reader of counters does first. */
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
  for (const place of places) {
    yield* database.transaction(operation, async (trx) => {
      await lockScope(place).execute(trx)
      if (moves !== null) await markGroups(trx, branch, place, moves)
      await recountMarked(trx, database.engine, branch, place)
    })
  }
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
 * Counts what is marked, some groups at a time, in the order of their names: one that stays marked
 * is not met again. Hold the scope's lock.
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
