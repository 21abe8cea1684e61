import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Option, Runtime, Scope, SynchronizedRef } from 'effect'
import { types as pgTypes } from 'pg'
import { type ConstructorOptions, type Db, fromPglite, PgBoss, type QueueOptions } from 'pg-boss'
import type { Database, Driver } from '../database/database.ts'

/** When a worker counts as lost, and how soon that is detected. */
export interface SuperviseOptions {
  /** Seconds between two rounds of looking for jobs whose worker is silent; at least 1. Null: this process leaves it to others. */
  readonly superviseSeconds: number | null
  /** Seconds of silence after which a job claimed here is given to another worker. */
  readonly heartbeatTimeoutSeconds: number
}

/**
 * pg-boss, started with the first use: the schema it needs is there only after `migrate`, and a
 * database that is down then is tried again with the next use. Stopped with the scope.
 */
export const openBoss = Effect.fn('openBoss')(function* (
  database: typeof Database.Service,
  { superviseSeconds }: Pick<SuperviseOptions, 'superviseSeconds'>,
): Effect.fn.Return<Effect.Effect<PgBoss, StoreFailed>, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const log = Runtime.runFork(yield* Effect.runtime())
  const start = Effect.gen(function* () {
    const boss = new PgBoss({
      ...bossOptions(database.driver),
      ...(superviseSeconds === null
        ? { supervise: false }
        : { superviseIntervalSeconds: superviseSeconds, monitorIntervalSeconds: superviseSeconds }),
    })
    // Its background rounds have no caller to report to.
    boss.on('error', (cause) => {
      log(Effect.annotateLogs(Effect.logWarning('queue maintenance failed'), { cause: cause.message }))
    })
    // Added first: a start that fails half way leaves timers too.
    yield* Effect.addFinalizer(() => Effect.promise(() => boss.stop({ graceful: false, close: false })))
    yield* database.query('opening the queue', () => boss.start())
    return boss
  }).pipe(Effect.uninterruptible)
  const opened = yield* SynchronizedRef.make(Option.none<PgBoss>())
  return SynchronizedRef.modifyEffect(
    opened,
    Option.match({
      onSome: (boss) => Effect.succeed([boss, Option.some(boss)] as const),
      onNone: () =>
        Effect.map(Effect.provideService(start, Scope.Scope, scope), (boss) => [boss, Option.some(boss)] as const),
    }),
  )
})

/** The schema that is pg-boss' own. */
export const schema = 'pgboss'

/** The queue of sync jobs. At most one job of a key is active, with any number of workers and of waiting jobs. */
export const queueName = 'sync'
export const queuePolicy = 'singleton'

/** The queue of deliveries, with the same policy. The key of its jobs is a line: a webhook and an object. */
export const deliveryQueueName = 'deliveries'

/** Tries that fail before a job is given up. */
export const tries = 5

/** Silence after which a worker counts as lost, unless configured otherwise. */
export const heartbeatTimeoutSeconds = 60

/** The options of a job in the queue. */
export const queueOptions: QueueOptions = {
  // Our jobs end after `tries`. A lost worker reports nothing about its job and no other process
  // would end its run, so such a job is always taken again.
  retryLimit: 1000,
  retryBackoff: true,
  retryDelay: 15,
  retryDelayMax: 600,
  // Another worker takes the job of a worker that is silent for this long. The claim may set
  // another time.
  heartbeatSeconds: heartbeatTimeoutSeconds,
  // The longest that pg-boss allows: a first sync may take hours, and its heartbeat tells whether it lives.
  expireInSeconds: 86_400,
  // How long a finished job is remembered and not queued again.
  deleteAfterSeconds: 86_400,
}

/**
 * The options of a job that sends one delivery. How often a delivery is tried is in its row: a job is
 * repeated only when its worker was lost.
 */
export const deliveryQueueOptions: QueueOptions = {
  retryLimit: 1000,
  retryDelay: 1,
  heartbeatSeconds: heartbeatTimeoutSeconds,
  expireInSeconds: 600,
  deleteAfterSeconds: 60,
}

/** The configuration of pg-boss on our database. It migrates only on request. */
export function bossOptions(driver: Driver): ConstructorOptions {
  return {
    db: bossDriver(driver),
    backend: driver._tag === 'pg' ? 'postgres' : 'pglite',
    schema,
    migrate: false,
    // The worker has its own schedules.
    schedule: false,
    registerInstance: false,
    // No job of ours waits for another one, and the look for such jobs writes a row each time.
    flowIntervalSeconds: 86_400,
    openTelemetry: { enabled: false },
    // The embedded engine has neither a vacuum of its own to watch nor a second session to build an index in.
    reindex: driver._tag === 'pg',
    monitorVacuum: driver._tag === 'pg',
  }
}

/**
 * Our database as pg-boss needs it: several statements in one text, and columns parsed by the
 * driver's defaults. It opens no connection of its own, so on PGlite its statements wait for our
 * transactions.
 */
export function bossDriver(driver: Driver): Db {
  switch (driver._tag) {
    case 'pg':
      return {
        // `pool.query` would send the statement in the context of the caller that frees the
        // connection, and so within that caller's limits.
        executeSql: async (text, values) => {
          const client = await driver.pool.connect()
          let failed = true
          try {
            // An array of values, even an empty one, would be sent as one prepared statement only.
            const result = await client.query({
              text,
              types: pgTypes,
              ...(values !== undefined && values.length > 0 && { values: [...values] }),
            })
            failed = false
            return result
          } finally {
            // A text that begins a transaction and fails in it leaves the connection in that
            // transaction, so the connection must not be reused.
            client.release(failed)
          }
        },
      }
    case 'pglite': {
      const { pglite, parsers } = driver
      const options = { parsers }
      return fromPglite({
        query: (text, values) => pglite.query(text, values, options),
        exec: (text) => pglite.exec(text, options),
      })
    }
  }
}
