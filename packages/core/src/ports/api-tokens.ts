import { Context, type Effect, type Option } from 'effect'
import type { Actor } from '../change-log.ts'
import type { Page } from './runs.ts'
import type { StoreFailed } from './store-failed.ts'

/** An API token as it may be shown. `key` is its public part: `nbt_<key>.<secret>`. */
export interface ApiToken {
  readonly id: number
  readonly key: string
  readonly user: { readonly id: number; readonly username: string }
  readonly description: string
  readonly write_enabled: boolean
  readonly enabled: boolean
  /** RFC 3339; null: never. */
  readonly expires: string | null
  readonly created: string
  readonly last_used: string | null
}

/** API tokens, stored hashed. */
export class ApiTokens extends Context.Tag('@netbox-pbs/core/ApiTokens')<
  ApiTokens,
  {
    /**
     * `secretHash` is hex SHA-256 of the 40 random characters after the dot. The user is created if it
     * does not exist.
     */
    readonly create: (token: {
      readonly key: string
      readonly secretHash: string
      readonly username: string
      readonly description: string
      readonly write_enabled: boolean
      readonly expires: string | null
      /**
       * User and request, for the change log; left out without a request, as at the first start. The log
       * never has the secret.
       */
      readonly actor?: Actor
    }) => Effect.Effect<ApiToken, StoreFailed>
    /** Finds a token by its public part, with the hash that verifies it. */
    readonly find: (request: {
      readonly key: string
    }) => Effect.Effect<Option.Option<ApiToken & { readonly secretHash: string }>, StoreFailed>
    readonly get: (request: { readonly id: number }) => Effect.Effect<Option.Option<ApiToken>, StoreFailed>
    readonly list: (request: {
      readonly limit: number
      readonly offset: number
      readonly key?: string
    }) => Effect.Effect<Page<ApiToken>, StoreFailed>
    /** False when no token has that id. */
    readonly remove: (request: { readonly id: number; readonly actor?: Actor }) => Effect.Effect<boolean, StoreFailed>
    /** Notes a use, at most once a minute. */
    readonly used: (request: { readonly id: number }) => Effect.Effect<void, StoreFailed>
    /** How many users have a token that may write and is valid at `now` (RFC 3339). */
    readonly writers: (request: { readonly now: string }) => Effect.Effect<number, StoreFailed>
    /** The user of this id and of this name; null: any. */
    readonly user: (request: {
      readonly id: number | null
      readonly username?: string | null
    }) => Effect.Effect<Option.Option<{ readonly id: number; readonly username: string }>, StoreFailed>
  }
>() {}
