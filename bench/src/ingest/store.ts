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

/**
 * How many rows the inventory's tables have seen written since they were made, by the server's own counters. What earlier sessions did
 * is counted when they have ended.
 */
export const writtenRows = (store: StoreAt): Promise<number> =>
  Effect.runPromise(
    Effect.flatMap(Database, ({ driver }) =>
      Effect.promise(async () => {
        const rows = async (text: string): Promise<ReadonlyArray<{ readonly n: unknown }>> =>
          driver._tag === 'pg'
            ? (await driver.pool.query(text)).rows
            : (await driver.pglite.query<{ n: unknown }>(text)).rows
        while (Number((await rows(otherSessions))[0]?.n) > 0) await new Promise((resolve) => setTimeout(resolve, 50))
        return Number((await rows(written))[0]?.n)
      }),
    ).pipe(Effect.provide(databaseAt(store))),
  )

const otherSessions = `
  select count(*) as n from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`

const written = `
  select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) as n from pg_stat_user_tables
  where schemaname = 'public' and relname in (${inventoryTables.map((name) => `'${name}'`).join(', ')})`
