import { postgresUrl } from '@netbox-pbs/testing'
import { Effect, Layer, Redacted } from 'effect'
import { Database } from '../src/database/database.ts'

/** An engine with an empty database of its own for whoever builds the layer. */
export interface Engine {
  readonly engine: Database['Type']['engine']
  readonly empty: Layer.Layer<Database>
}

/** The embedded engine, in memory. */
export const pglite: Engine = { engine: 'pglite', empty: Layer.orDie(Database.layerPglite({ dataDir: null })) }

/** A real PostgreSQL server. */
export const pg: Engine = {
  engine: 'pg',
  empty: Layer.orDie(
    Layer.unwrapEffect(
      Effect.map(
        Effect.promise(() => postgresUrl()),
        (url) => Database.layerPg({ url: Redacted.make(url), poolSize: 4 }),
      ),
    ),
  ),
}

/** For suites that must hold on both. */
export const engines = [pglite, pg]
