import { Context, type Effect, type Option } from 'effect'
import type { Retained } from '../retention.ts'
import type { StoreFailed } from './store-failed.ts'

/** Removes what is too old, and looks after the tables meanwhile. Moments are RFC 3339. */
export class Retention extends Context.Tag('@netbox-pbs/core/Retention')<
  Retention,
  {
    /**
     * Removes a part of what ended before a moment, the oldest first, in statements of bounded size, and says how many it removed and whether more may be left. A run goes
     * with its scopes, jobs and warnings; one that has not ended stays.
     */
    readonly prune: (request: {
      readonly what: Retained
      readonly before: string
    }) => Effect.Effect<{ readonly removed: number; readonly more: boolean }, StoreFailed>
    /** Brings the statistics up to date by which queries are planned, where the database does not do so by itself soon enough. */
    readonly refreshStatistics: () => Effect.Effect<void, StoreFailed>
    /** Takes the turn to remove, when one is due and nobody has it, until a moment; none: not now. Marks after `latest` were left by a clock that was ahead, and keep nobody waiting. */
    readonly takeTurn: (request: {
      readonly now: string
      readonly until: string
      readonly latest: string
    }) => Effect.Effect<Option.Option<number>, StoreFailed>
    /** Keeps the turn for longer; false: it ran out, and another has it. */
    readonly keepTurn: (request: {
      readonly turn: number
      readonly until: string
    }) => Effect.Effect<boolean, StoreFailed>
    /** Gives the turn back; the next one is due at a moment. */
    readonly endTurn: (request: { readonly turn: number; readonly due: string }) => Effect.Effect<void, StoreFailed>
  }
>() {}
