import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { type FamilyKey, judgedRoutes, keysRelation, ofFamily, readFamilies } from './families.ts'
import { judgeFamily } from './judge-family.ts'
import { writeFamilies } from './write-families.ts'

/** Families that one transaction takes, and of how many the points are read at once. */
const takenAtOnce = { pglite: 500, pg: 5000 } as const
const readAtOnce = 200

/** The size of the notes beyond which the embedded engine empties their table. */
const mostNotesBytes = 1_000_000

const operation = 'judging which groups are copies'

/** Serialises all writers of guests; they take no other lock that anyone waits for. */
export const lockGuests = (db: Kysely<Tables>): Promise<unknown> =>
  sql`select pg_advisory_xact_lock(20548, 1)`.execute(db)

/**
 * Judges the guests that writers have noted, and with `routes` those that other sync jobs lead to. Call it
 * after the commit of a write. A failure loses nothing, because the notes stay for the next call.
 */
export const judgeGuests = (
  database: Database['Type'],
  { routes = false }: { readonly routes?: boolean } = {},
): Effect.Effect<void> =>
  Effect.gen(function* () {
    if (routes) yield* noteRoutes(database)
    while (yield* isAnyStale(database)) {
      yield* database.transaction(operation, async (trx) => {
        await lockGuests(trx)
        await judgeStale(trx, takenAtOnce[database.engine])
        if (database.engine === 'pglite') await emptyNotes(trx)
      })
    }
  }).pipe(Effect.catchAll((error) => Effect.logWarning('copies could not be judged', error.message)))

const isAnyStale = (database: Database['Type']): Effect.Effect<boolean, StoreFailed> =>
  database.query(operation, async (db) => {
    const { rows } = await sql`select from stale_guests limit 1`.execute(db)
    return rows.length > 0
  })

/** Notes that were taken leave dead rows, which the embedded engine does not vacuum. Its one session waits for no other. */
async function emptyNotes(db: Kysely<Tables>): Promise<void> {
  const { rows } = await sql`
    select where pg_relation_size('stale_guests') > ${mostNotesBytes} and not exists (select from stale_guests)`.execute(
    db,
  )
  if (rows.length > 0) await sql`truncate stale_guests`.execute(db)
}

/** Judges some of the noted families, under the lock. */
async function judgeStale(db: Kysely<Tables>, most: number): Promise<void> {
  const { rows: keys } = await sql<FamilyKey>`
    with taken as (
      delete from stale_guests where id in (select id from stale_guests order by id limit ${most}) returning backup_type, backup_id
    ) select distinct backup_type, backup_id from taken order by 1, 2`.execute(db)
  await judgeFamilies(db, keys)
}

/** Judges families under the lock that {@link lockGuests} takes. */
export async function judgeFamilies(db: Kysely<Tables>, keys: ReadonlyArray<FamilyKey>): Promise<void> {
  const several = await keepSingles(db, keys)
  if (several.length === 0) return
  const routes = await judgedRoutes(db)
  for (let at = 0; at < several.length; at += readAtOnce) {
    const families = await readFamilies(db, several.slice(at, at + readAtOnce))
    await writeFamilies(
      db,
      families.map((family) => ({ family, judged: judgeFamily(family, routes) })),
    )
  }
}

/**
 * Makes a guest of each group that is alone with its type and id and was never more, and returns the
 * families of which that is not so.
 */
async function keepSingles(db: Kysely<Tables>, keys: ReadonlyArray<FamilyKey>): Promise<ReadonlyArray<FamilyKey>> {
  if (keys.length === 0) return []
  const { rows } = await sql<FamilyKey>`
    with k as materialized (select k.* from ${keysRelation(keys)}), counted as materialized (
      select k.backup_type, k.backup_id, g.*, o.guests, o.own
      from k cross join lateral (
        select count(*) as groups, min(g.id) as id, min(g.server_id) as server_id from groups g where ${ofFamily('g')}
      ) g cross join lateral (
        select count(*) as guests, count(*) filter (where o.origin_id = g.id and o.server_id = g.server_id and o.copies = 0) as own
        from guests o where ${ofFamily('o')}
      ) o
    ), made as (
      insert into guests (backup_type, backup_id, server_id, origin_id)
      select backup_type, backup_id, server_id, id from counted where groups = 1 and guests = 0
    )
    select backup_type, backup_id from counted where not (groups = 1 and guests <= 1 and own = guests) and (groups > 0 or guests > 0)
    order by 1, 2`.execute(db)
  return rows
}

/**
 * Compares the sync jobs with those judged last, and notes the families of the stores that the changed ones
 * lead from or to.
 */
const noteRoutes = (database: Database['Type']): Effect.Effect<void, StoreFailed> =>
  database.transaction(operation, async (trx) => {
    const changed = sql`(
        select id as job_id, server_id, store, namespace, remote, options from jobs where job_type = 'sync'
        except select job_id, server_id, store, namespace, remote, options from copy_routes
      ) union all (
        select job_id, server_id, store, namespace, remote, options from copy_routes
        except select id, server_id, store, namespace, remote, options from jobs where job_type = 'sync'
      )`
    const { rows } = await sql`select from (${changed}) c limit 1`.execute(trx)
    if (rows.length === 0) return
    await lockGuests(trx)
    await sql`
      with changed as materialized (${changed}), noted as (
        insert into stale_guests (backup_type, backup_id)
        select distinct g.backup_type, g.backup_id from groups g
        where g.datastore_name in (select store from changed union select options ->> 'remote-store' from changed)
          and exists (select from groups o where o.backup_id = g.backup_id and o.backup_type = g.backup_type and o.id <> g.id)
      ), removed as (
        delete from copy_routes r using changed c where r.job_id = c.job_id and not exists (select from jobs j where j.id = r.job_id and j.job_type = 'sync')
      )
      insert into copy_routes (job_id, server_id, store, namespace, remote, options)
      select id, server_id, store, namespace, remote, options from jobs where job_type = 'sync' and id in (select job_id from changed)
      on conflict (job_id) do update set server_id = excluded.server_id, store = excluded.store, namespace = excluded.namespace,
        remote = excluded.remote, options = excluded.options`.execute(trx)
  })
