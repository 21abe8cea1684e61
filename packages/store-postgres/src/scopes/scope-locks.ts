import { type Kysely, type RawBuilder, sql } from 'kysely'
import { TransactionAgain } from '../database/session.ts'
import type { Tables } from '../database/tables.ts'
import { placeKey, placeOf, type ScopePlace } from './scope-place.ts'

/**
 * The places that a transaction writes: scopes, and servers that it deletes.
 *
 * Every transaction takes its locks in this order, so that no two wait for each other. Each step is
 * optional, and is taken once, for all that the transaction writes:
 *
 * 1. the lock of merges (branches/merge-branch.ts), or the row of a change set (a landing, a
 *   staging)
 * 2. the scope of the servers
 * 3. servers by id: shared by all writers below a server, exclusive to delete it, because the
 *   cascade reaches every row below
 * 4. other scopes by key. Any write to rows or counters of a scope holds its lock: counters are
 *   recomputed by reading rows, and two concurrent writers would each miss the other's rows. All who
 *   write snapshots share the namespaces of their datastore, whose landing counts what new rows have
 *   below them
 * 5. the row of a branch
 * 6. rows of main by id, then their observations, groups, and the groups that branches have counted
 *
 * If more scopes turn out to be needed under the branch's lock, `lockFurther` takes a lock that is
 * free; where it would have to wait, the transaction begins again.
 */
export interface Places {
  readonly scopes: ReadonlyArray<ScopePlace>
  /** Ids of servers that are deleted with all their children. */
  readonly deletedServers?: ReadonlyArray<number>
}

/** Takes the lock of a scope until the end of the transaction. */
export const lockScope = (place: ScopePlace): RawBuilder<unknown> => lockPlaces({ scopes: [place] })

/**
 * Takes the lock of a scope, and returns whether its server still exists: it may have been deleted
 * between the look-up of its id and the lock. No transaction deletes the server while the lock is
 * held.
 */
export const lockExistingScope = async (db: Kysely<Tables>, place: ScopePlace): Promise<boolean> => {
  await lockScope(place).execute(db)
  if (place.server_id === null) return true
  const { rows } = await sql`select from servers where id = ${place.server_id}::bigint`.execute(db)
  return rows.length > 0
}

/** Takes the locks of places until the end of the transaction, in the one order. To be called once in a transaction. */
export const lockPlaces = (places: Places): RawBuilder<unknown> => sql`
  select case when k.shared then pg_advisory_xact_lock_shared(hashtextextended(k.key, 0)) else pg_advisory_xact_lock(hashtextextended(k.key, 0)) end
  from (${keysOf(places)}) k`

/**
 * Takes locks of places that are free or that this transaction already holds. Where it would have to
 * wait, the transaction begins again.
 */
export async function lockFurther(db: Kysely<Tables>, places: Places): Promise<void> {
  const { rows } = await sql<{ locked: boolean | null }>`
    select bool_and(case when k.shared then pg_try_advisory_xact_lock_shared(hashtextextended(k.key, 0))
      else pg_try_advisory_xact_lock(hashtextextended(k.key, 0)) end) as locked from (${keysOf(places)}) k`.execute(db)
  if (rows[0]?.locked === false) throw new TransactionAgain()
}

function keysOf({ scopes, deletedServers = [] }: Places): RawBuilder<unknown> {
  const ofServers = keysOfPlaces(scopes.filter((place) => place.server_id === null))
  const others = keysOfPlaces(scopes.filter((place) => place.server_id !== null))
  const above = scopes.flatMap((place) => (place.resource === 'snapshots' ? [placeOf('namespaces', place)] : []))
  const servers = new Set([...scopes.flatMap(({ server_id: serverId }) => serverId ?? []), ...deletedServers])
  const exclusive = new Set(deletedServers)
  const locks = [
    ...[...ofServers].map((key) => ({ key, shared: false })),
    ...[...servers]
      .toSorted((a, b) => a - b)
      .map((id) => ({ key: JSON.stringify(['server', id]), shared: !exclusive.has(id) })),
    ...[...new Set([...others, ...keysOfPlaces(above)])].toSorted().map((key) => ({ key, shared: !others.has(key) })),
  ]
  return sql`
    select key, shared from unnest(${locks.map(({ key }) => key)}::text[], ${locks.map(({ shared }) => shared)}::boolean[])
      with ordinality as u (key, shared, place) order by place`
}

const keysOfPlaces = (places: ReadonlyArray<ScopePlace>): ReadonlySet<string> => new Set(places.map(placeKey))
