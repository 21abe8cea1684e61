import { Context, type Effect } from 'effect'
import type { UsagePoint } from '../usage.ts'
import type { Page } from './runs.ts'
import type { StoreFailed } from './store-failed.ts'

/** How full datastores were, read. The points are written with the landing of their scope. */
export class DatastoreUsage extends Context.Tag('@netbox-pbs/core/DatastoreUsage')<
  DatastoreUsage,
  {
    /** Newest first. A datastore that is not there has no points. */
    readonly points: (request: {
      readonly datastoreId: number
      readonly limit: number
      readonly offset: number
    }) => Effect.Effect<Page<UsagePoint>, StoreFailed>
  }
>() {}
