import { Context, type Effect, type Option } from 'effect'
import type { ChangeFilter, LoggedChange } from '../change-log.ts'
import type { RecordPage } from '../query/list-query.ts'
import type { ListedPage } from './runs.ts'
import type { StoreFailed } from './store-failed.ts'

/** Reads the change log. Writers of rows write it in the same transaction. */
export class Changes extends Context.Tag('@netbox-pbs/core/Changes')<
  Changes,
  {
    /**
     * Newest first; with `afterId` oldest first, up to the first entry that a running transaction may
     * still precede.
     */
    readonly list: (
      request: RecordPage & { readonly filter: ChangeFilter },
    ) => Effect.Effect<ListedPage<LoggedChange>, StoreFailed>
    readonly get: (request: { readonly id: number }) => Effect.Effect<Option.Option<LoggedChange>, StoreFailed>
  }
>() {}
