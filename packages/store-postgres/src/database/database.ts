import type { ParserOptions, PGlite } from '@electric-sql/pglite'
import { StoreFailed, statementLimit } from '@netbox-pbs/core/ports'
import { Context, Effect, FiberRef, Layer, Option } from 'effect'
import type { Kysely } from 'kysely'
import type { Pool } from 'pg'
import type { DatabaseUnusable, DataFolderInUse, DataFolderUnusable } from './errors.ts'
import { openPg, type PgOptions } from './pg.ts'
import { embeddedKysely, openPglite, type PgliteOptions } from './pglite.ts'
import { queryOn, type TransactionOptions, transactionOn } from './session.ts'
import type { Tables } from './tables.ts'

/**
 * The driver itself, for a library that brings its own statements. Its readers of column text are
 * ours (`typeParsers`), not the driver's defaults.
 */
export type Driver =
  | { readonly _tag: 'pg'; readonly pool: Pool }
  /** `parsers`: the engine's own readers of column text. */
  | { readonly _tag: 'pglite'; readonly pglite: PGlite; readonly parsers: ParserOptions }

/** The operations of the database. */
export interface DatabaseService {
  readonly engine: Driver['_tag']
  readonly driver: Driver
  /** For statement builders and migrations; run the result through `query` or `transaction`. */
  readonly kysely: Kysely<Tables>
  /**
   * Statements, each in a transaction of its own. `operation` names the work in errors, as a
   * sentence's subject: `reading the runs`.
   */
  readonly query: <A>(operation: string, use: (db: Kysely<Tables>) => Promise<A>) => Effect.Effect<A, StoreFailed>
  /** Several statements in one transaction, all on the connection that it passes. See {@link transactionOn}. */
  readonly transaction: <A>(
    operation: string,
    use: (trx: Kysely<Tables>) => Promise<A>,
    options?: TransactionOptions,
  ) => Effect.Effect<Exclude<A, Error>, Extract<A, Error> | StoreFailed>
  /**
   * Work that may read a whole table, such as a search; do not nest it. Only a few run at a time,
   * so that connections (and, embedded, the one session) stay free; others wait, as long as
   * `statementLimit` allows.
   */
  readonly scan: <A, E, R>(operation: string, work: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StoreFailed, R>
}

/** The database: PostgreSQL through a pool, or PGlite in process. Both read and write the same values. */
export class Database extends Context.Tag('@netbox-pbs/store-postgres/Database')<Database, DatabaseService>() {
  /** PostgreSQL 14 or later. */
  static readonly layerPg = (options: PgOptions): Layer.Layer<Database, DatabaseUnusable> =>
    Layer.scoped(
      Database,
      Effect.map(openPg(options), ({ db, pool }) => service(db, { _tag: 'pg', pool }, scansAtOnce(pool.options.max))),
    )

  /** The embedded engine, in a folder or in memory. */
  static readonly layerPglite = (options: PgliteOptions): Layer.Layer<Database, DataFolderInUse | DataFolderUnusable> =>
    Layer.scoped(
      Database,
      Effect.map(openPglite(options), ({ db, ...opened }) => service(db, { _tag: 'pglite', ...opened }, 1)),
    )

  /** An embedded engine that its owner has opened and closes; it must have the `parsers` of `layerPglite`. */
  static readonly layerOpened = (opened: Omit<Driver & { readonly _tag: 'pglite' }, '_tag'>): Layer.Layer<Database> =>
    Layer.sync(Database, () => service(embeddedKysely(opened.pglite), { _tag: 'pglite', ...opened }, 1))
}

/** A quarter of the pool. */
const scansAtOnce = (connections: number): number => Math.max(1, Math.floor(connections / 4))

function service(db: Kysely<Tables>, driver: Driver, scans: number): DatabaseService {
  const turns = Effect.unsafeMakeSemaphore(scans)
  return {
    engine: driver._tag,
    driver,
    kysely: db,
    query: (operation, use) => queryOn(db, operation, use),
    transaction: (operation, use, options) => transactionOn(db, operation, use, options),
    scan: (operation, work) => inTurn(turns, operation, work),
  }
}

function inTurn<A, E, R>(
  turns: Effect.Semaphore,
  operation: string,
  work: Effect.Effect<A, E, R>,
): Effect.Effect<A, E | StoreFailed, R> {
  return Effect.gen(function* () {
    const limit = yield* FiberRef.get(statementLimit)
    let begun = false
    const working = turns.withPermits(1)(
      Effect.suspend(() => {
        begun = true
        return work
      }),
    )
    if (Option.isNone(limit)) return yield* working
    const waitedTooLong = Effect.suspend(() => (begun ? Effect.never : new StoreFailed({ reason: 'busy', operation })))
    return yield* Effect.raceFirst(working, Effect.delay(waitedTooLong, limit.value))
  })
}
