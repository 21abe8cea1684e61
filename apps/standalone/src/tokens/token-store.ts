import type { Effect } from 'effect'
import type { CannotRun } from '../failures.ts'

/** A new token. */
export interface TokenRequest {
  readonly readOnly: boolean
  /** RFC 3339; null: never. */
  readonly expires: string | null
  readonly description: string
}

/** A token as it is listed. */
export interface ListedToken {
  readonly id: number
  readonly key: string
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
