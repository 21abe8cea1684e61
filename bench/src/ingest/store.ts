import {
  Database,
  type DatabaseUnusable,
  type DataFolderInUse,
  type DataFolderUnusable,
  migrate,
} from '@netbox-pbs/store-postgres'
import { Effect, type Layer, Redacted } from 'effect'

/** A database of the benchmark. */
export type StoreAt =
  | { readonly _tag: 'pg'; readonly url: string }
  | { readonly _tag: 'pglite'; readonly dataDir: string }

/** The product's own database layer on it. */
export const databaseAt = (
  store: StoreAt,
): Layer.Layer<Database, DatabaseUnusable | DataFolderInUse | DataFolderUnusable> =>
  store._tag === 'pg'
    ? Database.layerPg({ url: Redacted.make(store.url) })
    : Database.layerPglite({ dataDir: store.dataDir })

/** The tables of main, parents first, and of them those that the recorded fleet fills. */
export const filledTables = ['servers', 'datastores', 'namespaces', 'groups', 'snapshots'] as const
const inventoryTables = [...filledTables, 'jobs']

/** Brings an empty database to the product's schema. */
export const migrated = (store: StoreAt): Promise<void> =>
  Effect.runPromise(migrate.pipe(Effect.provide(databaseAt(store)), Effect.asVoid))

/** The driver of a database layer. */
export type Driver = Database['Type']['driver']

/** Opens a database, uses it and closes it. */
export const withDriver = <A>(store: StoreAt, use: (driver: Driver) => Promise<A>): Promise<A> =>
  Effect.runPromise(
    Effect.flatMap(Database, ({ driver }) => Effect.promise(() => use(driver))).pipe(Effect.provide(databaseAt(store))),
  )

/** Executes statements one after the other, in one session. */
export async function executed(driver: Driver, ...statements: ReadonlyArray<string>): Promise<void> {
  if (driver._tag === 'pglite') {
    for (const statement of statements) await driver.pglite.exec(statement)
    return
  }
  const client = await driver.pool.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    client.release()
  }
}

/**
 * How many rows the inventory's tables have seen written, by the database's own counters: on
 * PostgreSQL since they were made, in sessions that have ended, and this waits for their end; on
 * PGlite since this process opened it, for it keeps none.
 */
export async function writtenRows(driver: Driver): Promise<number> {
  if (driver._tag === 'pglite') {
    await driver.pglite.query('select pg_stat_force_next_flush()')
    const { rows } = await driver.pglite.query<{ readonly n: unknown }>(written)
    return Number(rows[0]?.n)
  }
  const n = async (text: string): Promise<number> => Number((await driver.pool.query(text)).rows[0]?.n)
  while ((await n(otherSessions)) > 0) await new Promise((resolve) => setTimeout(resolve, 50))
  return await n(written)
}

const otherSessions = `
  select count(*) as n from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`

const written = `
  select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) as n from pg_stat_user_tables
  where schemaname = 'public' and relname in (${inventoryTables.map((name) => `'${name}'`).join(', ')})`
