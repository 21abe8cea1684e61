import { Context, type Effect, type Option } from 'effect'
import type { CopyLedger, Guest, GuestMember, SnapshotCopy } from '../protection/guest.ts'
import type { RecordPage, RecordQuery } from '../query/list-query.ts'
import type { ListedPage } from './runs.ts'
import type { StoreFailed } from './store-failed.ts'

/** Guests with their copies, as main has them. A user who sees some servers reads what is on these. */
export class Guests extends Context.Tag('@netbox-pbs/core/Guests')<
  Guests,
  {
    /** By id. Fields are `guestFields`; `search` looks in ids of backups and comments of origins, in any case. */
    readonly list: (
      request: RecordPage & RecordQuery & { readonly search?: string },
    ) => Effect.Effect<ListedPage<Guest>, StoreFailed>
    readonly get: (request: { readonly id: number }) => Effect.Effect<Option.Option<Guest>, StoreFailed>
    /** The groups of a guest, its origin first. */
    readonly members: (request: { readonly id: number }) => Effect.Effect<ReadonlyArray<GuestMember>, StoreFailed>
    /** The other places of the backup of a snapshot. */
    readonly copiesOfSnapshot: (request: {
      readonly id: number
    }) => Effect.Effect<ReadonlyArray<SnapshotCopy>, StoreFailed>
    /** What sync jobs have copied; of all that copy something, or of one. */
    readonly ledger: (request: { readonly job?: number }) => Effect.Effect<ReadonlyArray<CopyLedger>, StoreFailed>
  }
>() {}
