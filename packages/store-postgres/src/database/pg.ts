import { Clock, Effect, Redacted, Runtime, type Scope } from 'effect'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { type ClientBase, Pool, type PoolConfig, types } from 'pg'
import { controlConnections } from './control-connections.ts'
import { DatabaseUnusable, oldestServer } from './errors.ts'
import { outOfScope } from './statement-scope.ts'
import { failureReason } from './store-errors.ts'
import type { Tables } from './tables.ts'
import { typeParsers } from './type-parsers.ts'
import { closeAtOnce, learnSession, watchedClient } from './watched-client.ts'

/** Where PostgreSQL is, as a URL with its credentials. */
export interface PgOptions {
  readonly url: Redacted.Redacted<string>
  /** Connections at most; 10. */
  readonly poolSize?: number
  /** PostgreSQL's `application_name`, which shows the program behind a session; `netbox-pbs`. */
  readonly applicationName?: string
  /**
   * Milliseconds without a reply after which a connection is checked; 20 000. It is closed when
   * PostgreSQL runs nothing for it.
   */
  readonly patienceMillis?: number
  /**
   * Milliseconds after which PostgreSQL ends a session that is in a transaction and sends nothing;
   * 60 000. Its client cannot be reached any more, and its locks would stay for hours.
   */
  readonly abandonedMillis?: number
  /** Milliseconds that work waits for a free connection, and a new connection may take; 10 000. */
  readonly connectMillis?: number
}

/** A pool on a server that answers and is new enough. Closed with the scope. */
export const openPg = Effect.fn('Database.openPg')(function* ({
  url,
  poolSize = 10,
  applicationName = 'netbox-pbs',
  patienceMillis = 20_000,
  abandonedMillis = 60_000,
  connectMillis = 10_000,
}: PgOptions): Effect.fn.Return<{ readonly db: Kysely<Tables>; readonly pool: Pool }, DatabaseUnusable, Scope.Scope> {
  const where = yield* place(url)
  const config = { connectionString: Redacted.value(url), application_name: applicationName, ...keptAlive }
  const control = yield* Effect.acquireRelease(
    Effect.sync(() => controlConnections({ ...config, application_name: `${applicationName} control` })),
    ({ end }) => Effect.promise(end),
  )
  const log = Runtime.runFork(yield* Effect.runtime())
  const sayLost = oncePerOutage(connectionsLost(where))
  const sayReadOnly = oncePerOutage(connectionsReadOnly(where))
  const idle = new Set<ClientBase>()
  // The cause has probably struck the other connections too, and each would cost its next statement
  // the same wait or failure.
  const closeIdle = (why: string) => {
    for (const client of idle) closeAtOnce(client, new Error(why))
  }
  const onLost = () => {
    log(sayLost)
    closeIdle('another connection no longer answered')
  }
  const onReadOnly = () => {
    log(sayReadOnly)
    closeIdle('another connection could only read')
  }
  const pool = yield* Effect.acquireRelease(
    Effect.sync(() =>
      newPool(
        {
          ...config,
          max: poolSize,
          connectionTimeoutMillis: connectMillis,
          Client: watchedClient({ control, patienceMillis, onLost, onReadOnly }),
        },
        abandonedMillis,
      ),
    ),
    (opened) => Effect.promise(() => opened.end()),
  )
  pool.on('acquire', (client) => idle.delete(client))
  pool.on('release', (_, client) => idle.add(client))
  pool.on('remove', (client) => idle.delete(client))
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

/** Detects a host that disappears without closing its connections. */
const keptAlive = { keepAlive: true, keepAliveInitialDelayMillis: 30_000 }

const connectionsLost = (where: string) =>
  Effect.logWarning('connections to PostgreSQL no longer answered and were closed; new ones take their place').pipe(
    Effect.annotateLogs({ where }),
  )

const connectionsReadOnly = (where: string) =>
  Effect.logWarning('connections to PostgreSQL could only read, as those to a standby, and were closed').pipe(
    Effect.annotateLogs({ where }),
  )

/** Connections that are lost within a minute are lost by the same cause. */
const outageMillis = 60_000

const oncePerOutage = (say: Effect.Effect<void>): Effect.Effect<void> => {
  let last = Number.NEGATIVE_INFINITY
  return Effect.flatMap(Clock.currentTimeMillis, (now) => {
    if (now - last < outageMillis) return Effect.void
    last = now
    return say
  })
}

function newPool(
  config: PoolConfig & { readonly Client: ReturnType<typeof watchedClient> },
  abandonedMillis: number,
): Pool {
  const pool = new Pool({
    ...config,
    types: { getTypeParser: (id, format) => typeParsers[Number(id)] ?? types.getTypeParser(id, format) },
    onConnect: (client) => outOfScope(() => prepare(client, abandonedMillis)),
  })
  // A broken connection is replaced when one is next needed; without a listener for its error it
  // would end the process. The pool listens while it is idle, the client needs its own listener
  // while it is in use without a statement.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

async function prepare(client: ClientBase, abandonedMillis: number): Promise<void> {
  // The parsers read this spelling of times; a server may be set to another. Statements are short:
  // compiling them takes longer than running them.
  await client.query(
    `set datestyle = 'ISO'; set timezone = 'UTC'; set jit = off; set idle_in_transaction_session_timeout = ${abandonedMillis}`,
  )
  // Also ends statements that a killed process left running. Not every system that PostgreSQL runs
  // on supports the check.
  await client.query("set client_connection_check_interval = '10s'").catch(() => undefined)
  await learnSession(client)
}

async function serverFacts(db: Kysely<Tables>): Promise<{ readonly version: number; readonly encoding: string }> {
  const { rows } = await sql<{ version: number; encoding: string }>`
    select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding`.execute(
    db,
  )
  return rows[0] ?? { version: 0, encoding: '' }
}

/** The address without its secrets. */
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
