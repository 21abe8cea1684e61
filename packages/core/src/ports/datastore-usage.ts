import { Context, type Effect } from 'effect'
import type { UsagePoint } from '../usage.ts'
import type { Page } from './runs.ts'
import type { StoreFailed } from './store-failed.ts'

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
