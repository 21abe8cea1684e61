import { Context, type Effect } from 'effect'
import type { ServerHealth } from '../health/server-health.ts'
import type { UsagePoint } from '../usage.ts'
import type { Page } from './runs.ts'
import type { StoreFailed } from './store-failed.ts'

/** Observations written outside a landing: a server's health, even when its sync fails. */
export class ServerObservations extends Context.Tag('@netbox-pbs/core/ServerObservations')<
  ServerObservations,
  {
    /** An unknown server is ignored. A health without a last contact keeps the stored contact. */
    readonly record: (observation: {
      readonly serverId: number
      readonly health: ServerHealth
    }) => Effect.Effect<void, StoreFailed>
  }
>() {}

/** Reads the usage history of datastores. The landing of their scope writes the points. */
export class DatastoreUsage extends Context.Tag('@netbox-pbs/core/DatastoreUsage')<
  DatastoreUsage,
  {
    /** Newest first. An unknown datastore has no points. */
    readonly points: (request: {
      readonly datastoreId: number
      readonly limit: number
      readonly offset: number
    }) => Effect.Effect<Page<UsagePoint>, StoreFailed>
  }
>() {}
