import { scopeKey, scopeTitle } from '@netbox-pbs/core'
import { ChangeSets, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Layer } from 'effect'
import { sql } from 'kysely'
import { dropLandedEntries } from '../branches/drop-landed-entries.ts'
import { reviewPolicy } from '../branches/review-scopes.ts'
import { stage } from '../branches/stage.ts'
import { branchWatch } from '../branches/stale-groups.ts'
import { append } from '../change-sets/append.ts'
import { land } from '../change-sets/land.ts'
import { purge } from '../change-sets/parts.ts'
import { Database } from '../database/database.ts'
import { analyzeGrown } from '../database/statistics.ts'
import { judgeGuests } from '../guests/judge-guests.ts'

/** Change sets in staging tables next to main. */
export const changeSetsLayer: Layer.Layer<ChangeSets, never, Database> = Layer.effect(
  ChangeSets,
  Effect.map(Database, (database) => {
    const main = { database, watch: branchWatch, policy: reviewPolicy }
    // Clears ended change sets on the way. A failure is ignored, because the next change set clears
    // them too.
    const clearing = <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.tap(work, () => Effect.ignore(purge(database)))

    return ChangeSets.of({
      open: Effect.fn('ChangeSets.open')((request) => clearing(open(database, request))),
      append: (part) => append(database, part),
      land: (landing) =>
        // Entries left in a branch are older than main and show as stale, so a failure is ignored.
        clearing(Effect.tap(land(main, landing), () => Effect.ignore(dropLandedEntries(database, landing)))).pipe(
          Effect.tap(() => judgeGuests(database, { routes: landing.scope.resource === 'jobs' })),
          Effect.tap(() => analyzeGrown(database, 'main')),
        ),
      stage: (staging) => Effect.tap(clearing(stage(database, staging)), () => analyzeGrown(database, 'branches')),
      dropScope: Effect.fn('ChangeSets.dropScope')(({ changeSet, scope }) =>
        clearing(
          Effect.asVoid(
            database.query(`dropping ${scopeTitle(scope)}`, (db) =>
              sql`update change_set_parts set waiting = false
                where change_set_id = ${changeSet}::bigint and scope_key = ${scopeKey(scope)} and waiting`.execute(db),
            ),
          ),
        ),
      ),
      close: Effect.fn('ChangeSets.close')(({ changeSet }) =>
        clearing(
          Effect.asVoid(
            database.query('closing a change set', (db) =>
              sql`with closed as (delete from change_sets where id = ${changeSet}::bigint)
                update change_set_parts set waiting = false where change_set_id = ${changeSet}::bigint and waiting`.execute(
                db,
              ),
            ),
          ),
        ),
      ),
    })
  }),
)

/**
 * A new change set. Deleting the earlier attempt's waits for a landing of it that is under way, and
 * closes it for its worker.
 */
function open(
  database: Database['Type'],
  { runId, serverId }: { readonly runId: number; readonly serverId: number | null },
): Effect.Effect<number, StoreFailed> {
  return database.transaction('opening a change set', async (trx) => {
    await sql`
      with closed as (
        delete from change_sets where run_id = ${runId}::bigint and opened_for is not distinct from ${serverId}::bigint returning id
      )
      update change_set_parts set waiting = false where change_set_id in (select id from closed) and waiting`.execute(
      trx,
    )
    const { rows } = await sql<{ id: number }>`
      insert into change_sets (run_id, opened_for) values (${runId}::bigint, ${serverId}::bigint) returning id`.execute(
      trx,
    )
    return rows[0]?.id ?? 0
  })
}
