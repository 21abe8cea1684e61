import { GatewayKeys } from '@netbox-pbs/core/ports'
import { Effect, Layer } from 'effect'
import { sql } from 'kysely'
import { GatewayDatabase } from './gateway-database.ts'

/** The hashes of the gateway's keys, in the schema `gateway`. */
export const gatewayKeysLayer: Layer.Layer<GatewayKeys, never, GatewayDatabase> = Layer.effect(
  GatewayKeys,
  Effect.gen(function* () {
    const database = yield* GatewayDatabase

    return GatewayKeys.of({
      any: Effect.fn('GatewayKeys.any')(function* () {
        const { rows } = yield* database.query('looking for a gateway key', (db) =>
          sql`select from gateway.keys limit 1`.execute(db),
        )
        return rows.length > 0
      }),
      add: Effect.fn('GatewayKeys.add')(function* ({ hash, label }) {
        yield* database.query('storing a gateway key', (db) =>
          sql`insert into gateway.keys (hash, label) values (${hash}, ${label}) on conflict do nothing`.execute(db),
        )
      }),
      addFirst: Effect.fn('GatewayKeys.addFirst')(function* ({ hash, label }) {
        return yield* database.transaction('storing the first gateway key', async (trx) => {
          // Two who both see an empty table would both be first. The mode still lets keys be read.
          await sql`lock table gateway.keys in share row exclusive mode`.execute(trx)
          const { rows } = await sql`
            insert into gateway.keys (hash, label)
            select ${hash}, ${label} where not exists (select from gateway.keys)
            returning hash`.execute(trx)
          return rows.length > 0
        })
      }),
      known: Effect.fn('GatewayKeys.known')(function* ({ hash }) {
        const { rows } = yield* database.query('looking for a gateway key', (db) =>
          sql`select from gateway.keys where hash = ${hash}`.execute(db),
        )
        return rows.length > 0
      }),
    })
  }),
)
