import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Option, Runtime, Scope, SynchronizedRef } from 'effect'
import { PgBoss } from 'pg-boss'
import type { Database } from '../database/database.ts'
import { bossOptions } from './boss-options.ts'

/** When a worker counts as lost, and how soon that is detected. */
export interface SuperviseOptions {
  /** Seconds between two rounds of looking for jobs whose worker is silent; at least 1. */
  readonly superviseSeconds: number
  /** Seconds of silence after which a job claimed here is given to another worker. */
  readonly heartbeatTimeoutSeconds: number
}

/**
 * pg-boss, started with the first use: the schema it needs is there only after `migrate`, and a
 * database that is down then is tried again with the next use. Stopped with the scope.
 */
export const openBoss = Effect.fn('openBoss')(function* (
  database: typeof Database.Service,
  { superviseSeconds }: SuperviseOptions,
): Effect.fn.Return<Effect.Effect<PgBoss, StoreFailed>, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const log = Runtime.runFork(yield* Effect.runtime())
  const start = Effect.gen(function* () {
    const boss = new PgBoss({
      ...bossOptions(database.driver),
      superviseIntervalSeconds: superviseSeconds,
      monitorIntervalSeconds: superviseSeconds,
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
