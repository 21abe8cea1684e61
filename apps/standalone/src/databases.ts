import {
  Database,
  type DatabaseUnusable,
  type DataFolderInUse,
  type DataFolderUnusable,
  GatewayDatabase,
} from '@netbox-pbs/store-postgres'
import { Context, Layer, Option, type Redacted } from 'effect'

/** Which databases a system works on. */
export interface Databases {
  /** PostgreSQL; none: the embedded database. */
  readonly databaseUrl: Option.Option<Redacted.Redacted<string>>
  /** A database of its own for the gateway; none: the same one. */
  readonly gatewayDatabaseUrl: Option.Option<Redacted.Redacted<string>>
  /** Folder of the embedded database; null: in memory. */
  readonly dataDir: string | null
}

/**
 * Where the worker's statements run: in a pool of their own on PostgreSQL, so that requests and
 * syncs do not wait for each other's connections.
 */
export class WorkerDatabase extends Context.Tag('@netbox-pbs/standalone/WorkerDatabase')<
  WorkerDatabase,
  typeof Database.Service
>() {}

/** The worker on the API's database. */
export const layerShared: Layer.Layer<WorkerDatabase, never, Database> = Layer.effect(WorkerDatabase, Database)

/** Connections of the gateway at most: its tables are small. */
const gatewayConnections = 3

/**
 * The inventory's database for the API, for the worker, and the gateway's. The embedded one has one
 * session, which they share.
 */
export const databaseLayers = ({
  databaseUrl,
  gatewayDatabaseUrl,
  dataDir,
}: Databases): Layer.Layer<
  Database | WorkerDatabase | GatewayDatabase,
  DatabaseUnusable | DataFolderInUse | DataFolderUnusable
> => {
  const onServer = (url: Redacted.Redacted<string>, who: string) =>
    Layer.fresh(Database.layerPg({ url, applicationName: `netbox-pbs ${who}` }))
  const database: Layer.Layer<Database, DatabaseUnusable | DataFolderInUse | DataFolderUnusable> = Option.isSome(
    databaseUrl,
  )
    ? onServer(databaseUrl.value, 'api')
    : Database.layerPglite({ dataDir })
  const worker: Layer.Layer<WorkerDatabase, DatabaseUnusable, Database> = Option.isSome(databaseUrl)
    ? Layer.provide(layerShared, onServer(databaseUrl.value, 'worker'))
    : layerShared
  const gatewayUrl = Option.orElse(gatewayDatabaseUrl, () => databaseUrl)
  const gateway: Layer.Layer<GatewayDatabase, DatabaseUnusable, Database> = Option.isSome(gatewayUrl)
    ? GatewayDatabase.layerPg({
        url: gatewayUrl.value,
        applicationName: 'netbox-pbs gateway',
        poolSize: gatewayConnections,
      })
    : GatewayDatabase.layerShared
  return Layer.provideMerge(Layer.merge(gateway, worker), database)
}
