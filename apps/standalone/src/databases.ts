import {
  Database,
  type DatabaseUnusable,
  type DataFolderInUse,
  type DataFolderUnusable,
  GatewayDatabase,
} from '@netbox-pbs/store-postgres'
import { Layer, Option, type Redacted } from 'effect'

/** Which databases a system works on. */
export interface Databases {
  /** PostgreSQL; none: the embedded database. */
  readonly databaseUrl: Option.Option<Redacted.Redacted<string>>
  /** A database of its own for the gateway; none: the same one. */
  readonly gatewayDatabaseUrl: Option.Option<Redacted.Redacted<string>>
  /** Folder of the embedded database; null: in memory. */
  readonly dataDir: string | null
}

/** The inventory's database and the gateway's. */
export const databaseLayers = ({
  databaseUrl,
  gatewayDatabaseUrl,
  dataDir,
}: Databases): Layer.Layer<Database | GatewayDatabase, DatabaseUnusable | DataFolderInUse | DataFolderUnusable> => {
  const database: Layer.Layer<Database, DatabaseUnusable | DataFolderInUse | DataFolderUnusable> = Option.isSome(
    databaseUrl,
  )
    ? Database.layerPg({ url: databaseUrl.value })
    : Database.layerPglite({ dataDir })
  const gateway: Layer.Layer<GatewayDatabase, DatabaseUnusable, Database> = Option.isSome(gatewayDatabaseUrl)
    ? GatewayDatabase.layerPg({ url: gatewayDatabaseUrl.value })
    : GatewayDatabase.layerShared
  return Layer.provideMerge(gateway, database)
}
