import { Effect, Redacted, type Scope } from 'effect'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { Pool, types } from 'pg'
import { DatabaseUnusable, oldestServer } from './errors.ts'
import { failureReason } from './store-errors.ts'
import type { Tables } from './tables.ts'
import { typeParsers } from './type-parsers.ts'

/** Where PostgreSQL is, as a URL with its credentials. */
export interface PgOptions {
  readonly url: Redacted.Redacted<string>
  /** Connections at most; 10. */
  readonly poolSize?: number
}

/** A pool on a server that answers and is new enough. Closed with the scope. */
export const openPg = Effect.fn('Database.openPg')(function* ({
  url,
  poolSize = 10,
}: PgOptions): Effect.fn.Return<{ readonly db: Kysely<Tables>; readonly pool: Pool }, DatabaseUnusable, Scope.Scope> {
  const where = yield* place(url)
  const pool = yield* Effect.acquireRelease(
    Effect.sync(() => newPool(Redacted.value(url), poolSize)),
    (opened) => Effect.promise(() => opened.end()),
  )
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  const server = yield* Effect.tryPromise({
    try: () => serverFacts(db),
    catch: (cause) => {
      const reason = failureReason(cause)
      if (reason === null) throw cause
      return new DatabaseUnusable({ reason: reason === 'refused' ? 'refused' : 'unreachable', where, cause })
    },
  })
  if (server.version < oldestServer) return yield* new DatabaseUnusable({ reason: 'too_old', where })
  if (server.encoding !== 'UTF8') return yield* new DatabaseUnusable({ reason: 'not_utf8', where })
  return { db, pool }
})

function newPool(connectionString: string, max: number): Pool {
  const pool = new Pool({
    connectionString,
    max,
    connectionTimeoutMillis: 10_000,
    application_name: 'netbox-pbs',
    // A host that vanishes without a word is noticed.
    keepAlive: true,
    types: { getTypeParser: (id, format) => typeParsers[Number(id)] ?? types.getTypeParser(id, format) },
    // The parsers read this spelling of times; a server may be set to another. Statements are short: compiling them takes longer than running them.
    onConnect: async (client) => {
      await client.query("set datestyle = 'ISO'; set timezone = 'UTC'; set jit = off")
    },
  })
  // A connection that breaks is replaced when one is next needed; without a listener it would end the process: the pool listens while it is idle, the client
  // itself must be listened to while it is in use and no statement is under way to be told.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

async function serverFacts(db: Kysely<Tables>): Promise<{ readonly version: number; readonly encoding: string }> {
  const { rows } = await sql<{ version: number; encoding: string }>`
    select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding`.execute(
    db,
  )
  return rows[0] ?? { version: 0, encoding: '' }
}

/** The address without what is secret in it. */
function place(url: Redacted.Redacted<string>): Effect.Effect<string, DatabaseUnusable> {
  return Effect.try({
    try: () => {
      const { protocol, host, pathname, searchParams } = new URL(Redacted.value(url))
      if (protocol !== 'postgres:' && protocol !== 'postgresql:') throw new Error('not a PostgreSQL URL')
      return `${host === '' ? (searchParams.get('host') ?? 'localhost') : host}${pathname}`
    },
    catch: () => new DatabaseUnusable({ reason: 'bad_url', where: '' }),
  })
}
