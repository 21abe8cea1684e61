import { resolve } from 'node:path'
import { filled, newCommand, type WrongUsage, wholeNumber } from '@netbox-pbs/app-shell'
import { type Command, InvalidArgumentError } from 'commander'
import { Effect } from 'effect'
import { z } from 'zod'
import { createToken, listTokens, revokeToken } from '../commands/token.ts'
import { asExpected, type CannotRun, type Choose, type Task } from '../failures.ts'
import { findRemote, type RemoteFlags, remoteFlags } from '../remote/find-remote.ts'
import { remoteTokens } from '../tokens/remote-tokens.ts'
import type { TokenStore } from '../tokens/token-store.ts'

type CreateFlags = RemoteFlags & {
  version: 1 | 2
  user?: string
  readOnly?: boolean
  expires?: string
  description?: string
}

/** `token create|list|revoke`. */
export function tokenCommands(choose: Choose): Command {
  const token = newCommand('token', 'API tokens, also while the system does not run')
  const create = remoteFlags(newCommand('create', 'make a token; it is shown this once'))
    .option('--version <number>', '1 makes 40 characters alone, for clients that know no other form', version, 2)
    .option('--user <name>', 'the user it is for (default: your own, or admin while the system does not run)', filled)
    .option('--read-only', 'it may not write')
    .option('--expires <time>', 'RFC 3339, like 2027-01-01T00:00:00Z (default: never)', time)
    .option('--description <text>', 'what it is for')
    .action((flags: CreateFlags) => {
      const { version, user = null, readOnly = false, expires = null, description = '' } = flags
      choose(withTokenStore(flags, (store) => createToken(store, { version, user, readOnly, expires, description })))
    })
  const list = remoteFlags(newCommand('list', 'the tokens, without their secrets')).action((flags: RemoteFlags) =>
    choose(withTokenStore(flags, listTokens)),
  )
  const revoke = remoteFlags(newCommand('revoke', 'end a token'))
    .argument('<id>', 'its number in the list', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--yes', 'do not ask')
    .action((id: number, { yes = false, ...flags }: RemoteFlags & { yes?: boolean }) =>
      choose(withTokenStore(flags, (store) => revokeToken(store, id, yes))),
    )
  for (const command of [create, list, revoke]) token.addCommand(command)
  return token
}

const version = (text: string): 1 | 2 => {
  if (text === '1') return 1
  if (text === '2') return 2
  throw new InvalidArgumentError('It must be 1 or 2.')
}

const time = (text: string): string => {
  if (!z.iso.datetime({ offset: true }).safeParse(text).success)
    throw new InvalidArgumentError('It must be a time like 2027-01-01T00:00:00Z.')
  return text
}

/** Works on the tokens of the system that the flags name, through its REST API when it runs, else in its database. */
const withTokenStore = (
  flags: RemoteFlags,
  work: (store: TokenStore) => Effect.Effect<void, CannotRun | WrongUsage>,
): Task =>
  Effect.gen(function* () {
    const remote = yield* findRemote(flags)
    yield* work(remote === null ? yield* openStored(resolve(flags.dataDir)) : remoteTokens(remote))
  }).pipe(Effect.scoped, asExpected)

/** Loaded when it is needed: a running system has the database open already. */
const openStored = (dataDir: string) =>
  Effect.flatMap(
    Effect.promise(() => import('../tokens/stored-tokens.ts')),
    ({ storedTokens }) => storedTokens(dataDir),
  )
