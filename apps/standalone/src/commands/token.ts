import { Effect } from 'effect'
import { complain, say, table } from '../terminal.ts'
import type { TokenRequest, TokenStore } from '../tokens/token-store.ts'

/** Makes a token and prints it; it is shown this once. */
export const createToken = (store: TokenStore, request: TokenRequest) =>
  Effect.map(store.create(request), (text) => {
    complain('this token is shown this once:')
    say(text)
  })

/** The tokens, a line each, without their secrets. */
export const listTokens = (store: TokenStore) =>
  Effect.map(store.list(), (tokens) =>
    say(
      table([
        ['ID', 'KEY', 'USER', 'WRITES', 'EXPIRES', 'LAST USED', 'DESCRIPTION'],
        ...tokens.map((t) => [
          `${t.id}`,
          t.key,
          t.username,
          t.writes ? 'yes' : 'no',
          t.expires ?? 'never',
          t.lastUsed ?? 'never',
          t.description,
        ]),
      ]),
    ),
  )

/** Ends a token by its id. */
export const revokeToken = (store: TokenStore, id: number) =>
  Effect.map(store.revoke(id), () => say(`token ${id} is revoked`))
