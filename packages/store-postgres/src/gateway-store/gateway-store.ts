import { fieldsThatNeedSecret } from '@netbox-pbs/core'
import {
  EndpointNameTaken,
  EndpointStore,
  GatewayKeys,
  SecretBox,
  SecretNeeded,
  type StoredEndpoint,
} from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Kysely, sql } from 'kysely'
import { isUniqueViolation } from '../database/store-errors.ts'
import type { Tables } from '../database/tables.ts'
import { GatewayDatabase } from './gateway-database.ts'

const columns = sql`id, name, host, port, token_id, fingerprint, verify_ssl, enabled, timeout_seconds`
const purpose = (id: number): string => `endpoint:${id}`

/** Endpoints in the schema `gateway`. A secret is sealed for its own row, so that it opens in no other. */
const endpointStoreLayer: Layer.Layer<EndpointStore, never, GatewayDatabase | SecretBox> = Layer.effect(
  EndpointStore,
  Effect.gen(function* () {
    const database = yield* GatewayDatabase
    const box = yield* SecretBox

    return EndpointStore.of({
      create: Effect.fn('EndpointStore.create')(function* ({ token_secret, ...endpoint }) {
        // The id comes first, as the secret is sealed for it.
        const { rows: ids } = yield* database.query('numbering an endpoint', (db) =>
          sql<{ id: number }>`select nextval(pg_get_serial_sequence('gateway.endpoints', 'id')) as id`.execute(db),
        )
        const [next] = ids
        if (next === undefined) return yield* Effect.dieMessage('a sequence gave no number')
        const secret = yield* box.seal({ secret: token_secret, purpose: purpose(next.id) })
        const [row] = yield* database.query('storing an endpoint', (db) => insert(db, { ...endpoint, ...next }, secret))
        return row ?? (yield* new EndpointNameTaken({ name: endpoint.name }))
      }),
      list: Effect.fn('EndpointStore.list')(function* ({ limit, offset }) {
        const { rows } = yield* database.query('reading the endpoints', (db) =>
          sql<StoredEndpoint>`
            select ${columns} from gateway.endpoints
            order by id limit ${limit}::bigint offset ${offset}::bigint`.execute(db),
        )
        return rows
      }),
      get: Effect.fn('EndpointStore.get')(function* ({ id }) {
        const { rows } = yield* database.query('reading an endpoint', (db) => select(db, id))
        return Option.fromNullable(rows[0])
      }),
      update: Effect.fn('EndpointStore.update')(function* ({ id, change: { token_secret, ...change } }) {
        const secret = token_secret && (yield* box.seal({ secret: token_secret, purpose: purpose(id) }))
        return yield* database.transaction('changing an endpoint', async (trx) => {
          const [present] = (await select(trx, id, sql`for update`)).rows
          if (present === undefined) return Option.none()
          const changed = { ...present, ...change }
          const fields = secret === undefined ? fieldsThatNeedSecret(present, changed) : []
          if (fields.length > 0) return new SecretNeeded({ fields })
          const [row] = await rewrite(trx, changed, secret)
          return row === undefined ? new EndpointNameTaken({ name: changed.name }) : Option.some(row)
        })
      }),
      remove: Effect.fn('EndpointStore.remove')(function* ({ id }) {
        const { rows } = yield* database.query('removing an endpoint', (db) =>
          sql`delete from gateway.endpoints where id = ${id}::bigint returning id`.execute(db),
        )
        return rows.length > 0
      }),
      secret: Effect.fn('EndpointStore.secret')(function* ({ id }) {
        const { rows } = yield* database.query('reading the secret of an endpoint', (db) =>
          sql<{
            sealed: string
          }>`select token_secret as sealed from gateway.endpoints where id = ${id}::bigint`.execute(db),
        )
        const [row] = rows
        return row === undefined
          ? Option.none()
          : Option.some(yield* box.open({ sealed: row.sealed, purpose: purpose(id) }))
      }),
    })
  }),
)

function select(db: Kysely<Tables>, id: number, lock = sql``) {
  return sql<StoredEndpoint>`select ${columns} from gateway.endpoints where id = ${id}::bigint ${lock}`.execute(db)
}

/** No row: the name is taken. */
async function insert(db: Kysely<Tables>, e: StoredEndpoint, secret: string): Promise<ReadonlyArray<StoredEndpoint>> {
  const { rows } = await sql<StoredEndpoint>`
    insert into gateway.endpoints
      (id, name, host, port, token_id, token_secret, fingerprint, verify_ssl, enabled, timeout_seconds)
    values (
      ${e.id}::bigint, ${e.name}, ${e.host}, ${e.port}::integer, ${e.token_id}, ${secret}, ${e.fingerprint},
      ${e.verify_ssl}::boolean, ${e.enabled}::boolean, ${e.timeout_seconds}::integer
    )
    on conflict (name) do nothing
    returning ${columns}`.execute(db)
  return rows
}

/** No row: another endpoint has the name, and the transaction is lost. */
async function rewrite(
  db: Kysely<Tables>,
  e: StoredEndpoint,
  secret: string | undefined,
): Promise<ReadonlyArray<StoredEndpoint>> {
  try {
    const { rows } = await sql<StoredEndpoint>`
      update gateway.endpoints set
        name = ${e.name}, host = ${e.host}, port = ${e.port}::integer, token_id = ${e.token_id},
        token_secret = coalesce(${secret ?? null}::text, token_secret), fingerprint = ${e.fingerprint},
        verify_ssl = ${e.verify_ssl}::boolean, enabled = ${e.enabled}::boolean,
        timeout_seconds = ${e.timeout_seconds}::integer
      where id = ${e.id}::bigint
      returning ${columns}`.execute(db)
    return rows
  } catch (cause) {
    // The name is the only unique column that changes.
    if (isUniqueViolation(cause)) return []
    throw cause
  }
}

/** The hashes of the gateway's keys, in the schema `gateway`. */
const gatewayKeysLayer: Layer.Layer<GatewayKeys, never, GatewayDatabase> = Layer.effect(
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
          // Without the lock, two transactions that both see an empty table would both insert. Its
          // mode lets keys be read.
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

/** The gateway's store: its endpoints and the keys of its own API. */
export const gatewayStoreLayer: Layer.Layer<EndpointStore | GatewayKeys, never, GatewayDatabase | SecretBox> =
  Layer.merge(endpointStoreLayer, gatewayKeysLayer)
