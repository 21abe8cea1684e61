import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { lockExistingScope } from '../scopes/scope-locks.ts'
import { placeOf, type ScopePlace } from '../scopes/scope-place.ts'
import { openBreaches } from '../writes/breaches.ts'
import { judgeScope } from '../writes/judge-groups.ts'

/** Namespaces that are judged at a time. */
const placesAtOnce = 500

/**
 * Judges the groups that wait, each namespace in a transaction of its own under the lock of its scope,
 * and opens the breaches of those that have become late. Returns whether more may wait.
 */
export const judgeWaiting = Effect.fn('Objectives.judge')(function* (
  database: Database['Type'],
): Effect.fn.Return<boolean, StoreFailed> {
  const places = yield* database.query('looking for groups to judge', async (db) => {
    const { rows } = await sql<Pick<ScopePlace, 'server_id' | 'datastore_name' | 'namespace'>>`
      select server_id, datastore_name, namespace from scopes
      where resource = 'snapshots' and judged_version < (select version from judging)
      union select server_id, datastore_name, namespace from groups where judge_again_at <= now()
      limit ${placesAtOnce}`.execute(db)
    return rows
  })
  for (const row of places) {
    const place = placeOf('snapshots', row)
    yield* database.transaction('judging the groups of a namespace', async (trx) => {
      if (await lockExistingScope(trx, place)) await judgeScope(trx, place)
    })
  }
  yield* database.transaction('opening breaches', openBreaches)
  return places.length === placesAtOnce
})
