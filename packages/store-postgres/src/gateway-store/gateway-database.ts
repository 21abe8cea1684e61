import { Context, Layer } from 'effect'
import { Database } from '../database/database.ts'
import type { DatabaseUnusable } from '../database/errors.ts'
import type { PgOptions } from '../database/pg.ts'

/** Where the gateway's tables lie: in a schema `gateway` of the inventory's database, or in a database of their own. */
export class GatewayDatabase extends Context.Tag('@netbox-pbs/store-postgres/GatewayDatabase')<
  GatewayDatabase,
  typeof Database.Service
>() {
  /** The database that the inventory lies in, PostgreSQL or embedded. */
  static readonly layerShared: Layer.Layer<GatewayDatabase, never, Database> = Layer.effect(GatewayDatabase, Database)

  /** A PostgreSQL database of its own. */
  static readonly layerPg = (options: PgOptions): Layer.Layer<GatewayDatabase, DatabaseUnusable> =>
    Layer.provide(GatewayDatabase.layerShared, Layer.fresh(Database.layerPg(options)))
}
