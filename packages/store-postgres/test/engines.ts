import { embeddedDump, postgresUrl, type Template } from '@netbox-pbs/testing'
import { Effect, Layer, Redacted } from 'effect'
import { Database } from '../src/database/database.ts'
import { migrate } from '../src/migrations/migrate.ts'

/** An engine that gives each layer a database of its own. */
export interface Engine {
  readonly engine: Database['Type']['engine']
  readonly empty: Layer.Layer<Database>
  readonly migrated: Layer.Layer<Database>
}

/** The embedded engine's own first database, which takes it a second to make. */
const fresh = Layer.orDie(Database.layerPglite({ dataDir: null }))

/**
 * Every test that opens a dump pays for its size, for the memory that the engine asks for at its start, and for
 * what makes it survive a crash of the machine, which no database in memory does.
 */
const shrink = [
  ...['template0', 'template1'].flatMap((name) => [
    `alter database ${name} is_template false`,
    `drop database ${name}`,
  ]),
  "alter system set shared_buffers = '16MB'",
  'alter system set max_connections = 10',
  'alter system set full_page_writes = off',
  'alter system set synchronous_commit = off',
  'checkpoint',
]

const dumpAfter = (prepare: Effect.Effect<unknown, unknown, Database>): Effect.Effect<Blob> =>
  Effect.gen(function* () {
    yield* Effect.orDie(prepare)
    const { driver } = yield* Database
    if (driver._tag !== 'pglite') return yield* Effect.dieMessage('only the embedded engine is dumped')
    const { pglite } = driver
    for (const statement of shrink) yield* Effect.promise(() => pglite.exec(statement))
    return yield* Effect.promise(() => pglite.dumpDataDir('none'))
  }).pipe(Effect.provide(fresh))

/** The dump of an embedded database, made once in a run. */
const dumpOnce = (name: string, prepare: Effect.Effect<unknown, unknown, Database>): Promise<Blob> =>
  embeddedDump({ name, prepare: () => Effect.runPromise(dumpAfter(prepare)) })

/** The dump of an embedded database with all migrations: a tar archive of its folder. */
export const migratedDump = (): Promise<Blob> => dumpOnce('store-migrated', migrate)

/** An embedded database from a dump, which takes a fifth of the time. */
const inMemory = (dump: () => Promise<Blob>): Layer.Layer<Database> =>
  Layer.orDie(
    Layer.unwrapEffect(Effect.map(Effect.promise(dump), (made) => Database.layerPglite({ dataDir: null, dump: made }))),
  )

const onServer = (template?: Template): Layer.Layer<Database> =>
  Layer.orDie(
    Layer.unwrapEffect(
      Effect.map(
        Effect.promise(() => postgresUrl(template)),
        (url) => Database.layerPg({ url: Redacted.make(url), poolSize: 4 }),
      ),
    ),
  )

/** A server's database with all migrations, prepared once in a run. */
export const migratedTemplate: Template = {
  name: 'store-migrated',
  prepare: async (url) => {
    await Effect.runPromise(Effect.provide(migrate, Layer.orDie(Database.layerPg({ url: Redacted.make(url) }))))
  },
}

/** The embedded engine, in memory. */
export const pglite: Engine = {
  engine: 'pglite',
  empty: inMemory(() => dumpOnce('store-empty', Effect.void)),
  migrated: inMemory(migratedDump),
}

/** A real PostgreSQL server. */
export const pg: Engine = { engine: 'pg', empty: onServer(), migrated: onServer(migratedTemplate) }

/** For suites that must hold on both. */
export const engines = [pglite, pg]
