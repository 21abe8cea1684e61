import { Context, type Effect, type Option } from 'effect'
import type { Retained } from '../retention.ts'
import type { StoreFailed } from './store-failed.ts'

/** Removes records past their retention, and maintains the tables. Timestamps are RFC 3339. */
export class Retention extends Context.Tag('@netbox-pbs/core/Retention')<
  Retention,
  {
    /**
     * Removes a batch of the records that ended before a timestamp, oldest first, in statements of bounded
     * size. Returns how many it removed and whether more may be left; a run
     * is removed with its scopes, jobs and warnings, and an open one stays.
     */
    readonly prune: (request: {
      readonly what: Retained
      readonly before: string
    }) => Effect.Effect<{ readonly removed: number; readonly more: boolean }, StoreFailed>
    /**
     * Removes staged rows that landed, or were dropped, but that their writer could not remove: it
     * crashed, or lost the answer to its last commit.
     */
    readonly clearStaged: () => Effect.Effect<void, StoreFailed>
    /** Refreshes the statistics of the query planner, where the database does not do so soon enough. */
    readonly refreshStatistics: () => Effect.Effect<void, StoreFailed>
    /**
     * Takes the turn to remove until a timestamp, if it is due and free; none: not now. Marks after
     * `latest` come from a clock that was ahead and are ignored.
     */
    readonly takeTurn: (request: {
      readonly now: string
      readonly until: string
      readonly latest: string
    }) => Effect.Effect<Option.Option<number>, StoreFailed>
    /** Extends the turn; false: it expired, and another worker has it. */
    readonly keepTurn: (request: {
      readonly turn: number
      readonly until: string
    }) => Effect.Effect<boolean, StoreFailed>
    /** Returns the turn; the next one is due at a timestamp. */
    readonly endTurn: (request: { readonly turn: number; readonly due: string }) => Effect.Effect<void, StoreFailed>
  }
>() {}
