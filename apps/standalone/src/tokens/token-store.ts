import type { Effect } from 'effect'
import type { CannotRun } from '../failures.ts'

/** A new token. */
export interface TokenRequest {
  /** 1: NetBox's older form, for clients that know no other. */
  readonly version: 1 | 2
  /** The user it is for; null: the own one, which is admin while the system does not run. */
  readonly user: string | null
  readonly readOnly: boolean
  /** RFC 3339; null: never. */
  readonly expires: string | null
  readonly description: string
}

/** A token as it is listed. */
export interface ListedToken {
  readonly id: number
  /** Null: a token of version 1, which has no public part. */
  readonly key: string | null
  readonly username: string
  readonly writes: boolean
  readonly expires: string | null
  readonly lastUsed: string | null
  readonly description: string
}

/** Where tokens are kept: a running system, or its database while it does not run. */
export interface TokenStore {
  /** The text of the new token. */
  readonly create: (request: TokenRequest) => Effect.Effect<string, CannotRun>
  readonly list: () => Effect.Effect<ReadonlyArray<ListedToken>, CannotRun>
  readonly revoke: (id: number) => Effect.Effect<void, CannotRun>
}
