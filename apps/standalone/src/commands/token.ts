import type { WrongUsage } from '@netbox-pbs/app-shell'
import { Effect } from 'effect'
import { needYes } from '../confirm.ts'
import { CannotRun } from '../failures.ts'
import { complain, say, table } from '../terminal.ts'
import type { TokenRequest, TokenStore } from '../tokens/token-store.ts'

/** Makes a token and prints it; it is shown this once. */
export const createToken = (store: TokenStore, request: TokenRequest) =>
  Effect.map(store.create(request), (text) => {
    complain('this token is shown only once:')
    say(text)
  })

/** The tokens, a line each, without their secrets. */
export const listTokens = (store: TokenStore) =>
  Effect.map(store.list(), (tokens) =>
    say(
      table([
        ['ID', 'KEY', 'USER', 'WRITES', 'EXPIRES', 'LAST USED', 'DESCRIPTION'],
        ...[...tokens]
          .sort((a, b) => a.id - b.id)
          .map((t) => [
            `${t.id}`,
            t.key ?? 'version 1',
            t.username,
            t.writes ? 'yes' : 'no',
            t.expires ?? 'never',
            t.lastUsed ?? 'never',
            t.description,
          ]),
      ]),
    ),
  )

/** Ends a token by its id, once a person has seen whose it is. */
export const revokeToken = (store: TokenStore, id: number, yes: boolean): Effect.Effect<void, WrongUsage | CannotRun> =>
  Effect.gen(function* () {
    if (!yes) {
      const token = (yield* store.list()).find((listed) => listed.id === id)
      if (token === undefined)
        return yield* new CannotRun({ message: `there is no token ${id}: "netbox-pbs token list" shows them` })
      const about = token.description === '' ? '' : `, "${token.description}"`
      yield* needYes(yes, `Revoke token ${id} of ${token.username}${about}? Its clients are rejected from then on.`)
    }
    yield* store.revoke(id)
    say(`token ${id} is revoked`)
  })
