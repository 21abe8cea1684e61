import { resolve } from 'node:path'
import { Effect } from 'effect'
import { asExpected, type CannotRun, type Task } from '../failures.ts'
import { findRemote, type RemoteFlags } from '../remote/find-remote.ts'
import { remoteTokens } from './remote-tokens.ts'

/** What a new token is to be. */
export interface TokenWish {
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
export interface TokenHome {
  /** The text of the new token. */
  readonly create: (wish: TokenWish) => Effect.Effect<string, CannotRun>
  readonly list: () => Effect.Effect<ReadonlyArray<ListedToken>, CannotRun>
  readonly revoke: (id: number) => Effect.Effect<void, CannotRun>
}

/** Works on the tokens of the system that the flags name, through its REST API when it runs, else in its database. */
export const withTokenHome = (flags: RemoteFlags, work: (home: TokenHome) => Effect.Effect<void, CannotRun>): Task =>
  Effect.gen(function* () {
    const remote = yield* findRemote(flags)
    yield* work(remote === null ? yield* openStored(resolve(flags.dataDir)) : remoteTokens(remote))
  }).pipe(Effect.scoped, asExpected)

/** Opening a database is a heavier thing than talking to a system that has it open. */
const openStored = (dataDir: string) =>
  Effect.flatMap(
    Effect.promise(() => import('./stored-tokens.ts')),
    ({ storedTokens }) => storedTokens(dataDir),
  )
