import { SecretBox, type SecretUnreadable, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Redacted } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'

const purpose = 'check'

/** Stores the value that tells a key at the first start, and opens it at each later one. `table` holds it. */
export const checkSecretKeyIn = Effect.fn('checkSecretKey')(function* (
  database: typeof Database.Service,
  table: readonly [string] | readonly [string, string],
): Effect.fn.Return<void, StoreFailed | SecretUnreadable, SecretBox> {
  const box = yield* SecretBox
  const fresh = yield* box.seal({ secret: Redacted.make('netbox-pbs'), purpose })
  const name = sql.id(...table)
  const { rows } = yield* database.query('checking the secret key', async (db) => {
    // Many processes may start at once with a new key: all of them open the value of the first.
    await sql`insert into ${name} (id, sealed) values (1, ${fresh}) on conflict do nothing`.execute(db)
    return await sql<{ sealed: string }>`select sealed from ${name}`.execute(db)
  })
  for (const { sealed } of rows) yield* box.open({ sealed, purpose })
})

/**
 * Fails when the key at hand is not the one that the inventory's secrets are stored under. Run it
 * at the start, after `migrate`.
 */
export const checkSecretKey: Effect.Effect<void, StoreFailed | SecretUnreadable, Database | SecretBox> = Effect.flatMap(
  Database,
  (database) => checkSecretKeyIn(database, ['secret_check']),
)
