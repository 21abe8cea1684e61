import { Context, Data, type Effect, type Option } from 'effect'
import type { Actor } from '../change-log.ts'
import type { RecordPage, RecordQuery } from '../query/list-query.ts'
import type { ListedPage } from './runs.ts'
import type { StoreFailed } from './store-failed.ts'
import type { User, UserRights } from './users.ts'

/** An API token as it may be shown. */
export interface ApiToken {
  readonly id: number
  /** 2: `nbt_<key>.<secret>`; 1: NetBox's older form, 40 characters without a public part. */
  readonly version: 1 | 2
  /** How it is looked up: its public part, or for version 1 the start of its hash, which is not shown. */
  readonly key: string
  readonly user: { readonly id: number; readonly username: string }
  readonly description: string
  readonly write_enabled: boolean
  readonly enabled: boolean
  /** Networks in CIDR form from which it may be used; none: from everywhere. */
  readonly allowed_ips: ReadonlyArray<string>
  /** RFC 3339; null: never. */
  readonly expires: string | null
  readonly created: string
  readonly last_used: string | null
}

/** A token to be stored. The defaults are version 2, enabled, and every network. */
export interface NewApiToken {
  readonly version?: 1 | 2
  readonly key: string
  /** Hex SHA-256 of the 40 random characters. */
  readonly secretHash: string
  readonly username: string
  readonly description: string
  readonly enabled?: boolean
  readonly write_enabled: boolean
  readonly expires: string | null
  readonly allowed_ips?: ReadonlyArray<string>
}

/** What may change about a token. Its user, version and secret stay. */
export type ApiTokenChange = Partial<
  Pick<ApiToken, 'description' | 'enabled' | 'write_enabled' | 'expires' | 'allowed_ips'>
>

/** A token as a request is authenticated with it. */
export interface ApiTokenFound extends ApiToken {
  readonly secretHash: string
  readonly rights: UserRights & Pick<User, 'is_active'>
}

/** Which tokens to list, by `tokenFields` and more; left out: all. */
export interface ApiTokenFilter extends RecordQuery {
  readonly ids?: ReadonlyArray<number>
  readonly userIds?: ReadonlyArray<number>
  /** In the name of the user or the description, without regard to case. */
  readonly search?: string
}

/** A token with that key exists. `at` is its place in the request. */
export class TokenTaken extends Data.TaggedError('TokenTaken')<{ readonly at: number }> {
  override get message(): string {
    return 'a token with this text already exists'
  }
}

/** API tokens, stored hashed. */
export class ApiTokens extends Context.Tag('@netbox-pbs/core/ApiTokens')<
  ApiTokens,
  {
    /** Stores a token whose key is new. The user is created, as an admin, if it does not exist: only a start or the command line asks for that. */
    readonly create: (
      token: NewApiToken & {
        /**
         * User and request, for the change log; left out without a request, as at the first start. The log
         * never has the secret.
         */
        readonly actor?: Actor
      },
    ) => Effect.Effect<ApiToken, StoreFailed>
    /** The same for many, all or none, in the order given. */
    readonly createAll: (request: {
      readonly tokens: ReadonlyArray<NewApiToken>
      readonly actor?: Actor
    }) => Effect.Effect<ReadonlyArray<ApiToken>, StoreFailed | TokenTaken>
    /** Finds a token by its key, with the hash that verifies it, and what its user may do. */
    readonly find: (request: { readonly key: string }) => Effect.Effect<Option.Option<ApiTokenFound>, StoreFailed>
    readonly get: (request: { readonly id: number }) => Effect.Effect<Option.Option<ApiToken>, StoreFailed>
    /** The newest first, unless asked otherwise. */
    readonly list: (request: ApiTokenFilter & RecordPage) => Effect.Effect<ListedPage<ApiToken>, StoreFailed>
    /** Changes tokens, all or none; ids without a token are left out. */
    readonly update: (request: {
      readonly changes: ReadonlyArray<{ readonly id: number; readonly change: ApiTokenChange }>
      readonly actor?: Actor
    }) => Effect.Effect<ReadonlyArray<ApiToken>, StoreFailed>
    /** How many of the ids had a token. Sessions that the tokens opened end with them. */
    readonly remove: (request: {
      readonly ids: ReadonlyArray<number>
      readonly actor?: Actor
    }) => Effect.Effect<number, StoreFailed>
    /** Notes a use, at most once a minute. */
    readonly used: (request: { readonly id: number }) => Effect.Effect<void, StoreFailed>
    /**
     * How many active users may approve a branch at `now` (RFC 3339): operators and admins with a password,
     * or a valid token that may write.
     */
    readonly writers: (request: { readonly now: string }) => Effect.Effect<number, StoreFailed>
    /** The user of this id and of this name; null: any. */
    readonly user: (request: {
      readonly id: number | null
      readonly username?: string | null
    }) => Effect.Effect<Option.Option<{ readonly id: number; readonly username: string }>, StoreFailed>
  }
>() {}
