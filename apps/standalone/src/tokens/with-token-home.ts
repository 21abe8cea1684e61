import { resolve } from 'node:path'
import { Effect } from 'effect'
import { asExpected, type CannotRun, type Task } from '../failures.ts'
import { findRemote, type RemoteFlags } from '../remote/find-remote.ts'
import { remoteTokens } from './remote-tokens.ts'
import type { TokenStore } from './token-home.ts'

/** Works on the tokens of the system that the flags name, through its REST API when it runs, else in its database. */
export const withTokenStore = (flags: RemoteFlags, work: (home: TokenStore) => Effect.Effect<void, CannotRun>): Task =>
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
