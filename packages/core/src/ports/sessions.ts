import { Context, type Effect, type Option } from 'effect'
import type { StoreFailed } from './store-failed.ts'
import type { UserRights } from './users.ts'

/** A signed-in browser. */
export interface Session {
  readonly user: UserRights & { readonly id: number; readonly username: string }
  readonly write_enabled: boolean
  /** RFC 3339. */
  readonly expires: string
}

/** Browser sessions and one-time sign-in links, both by the hex SHA-256 of a random id. */
export class Sessions extends Context.Tag('@netbox-pbs/core/Sessions')<
  Sessions,
  {
    readonly create: (session: {
      readonly idHash: string
      readonly userId: number
      readonly write_enabled: boolean
      readonly expires: string
      /**
       * The token that opened it: the session ends with it, is read-only with it, and is not found while
       * it is disabled. Null: a link opened it.
       */
      readonly tokenId: number | null
    }) => Effect.Effect<void, StoreFailed>
    /** None when unknown or expired, or when its user is not active. */
    readonly find: (request: {
      readonly idHash: string
      readonly now: string
    }) => Effect.Effect<Option.Option<Session>, StoreFailed>
    readonly remove: (request: { readonly idHash: string }) => Effect.Effect<void, StoreFailed>
    readonly createLink: (link: {
      readonly idHash: string
      readonly username: string
      readonly expires: string
    }) => Effect.Effect<void, StoreFailed>
    /** Consumes a link: a second call finds none. A user that does not exist is created as an admin. */
    readonly redeemLink: (request: {
      readonly idHash: string
      readonly now: string
    }) => Effect.Effect<Option.Option<{ readonly id: number; readonly username: string }>, StoreFailed>
  }
>() {}
