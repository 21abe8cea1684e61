import { NewToken, Token } from '@netbox-pbs/api/records'
import { Effect } from 'effect'
import { z } from 'zod'
import { call, type Remote, readAll } from '../remote/remote-api.ts'
import type { TokenStore } from './token-store.ts'

const path = '/api/users/tokens/'

const Me = z.object({ id: z.int() })
const Made = NewToken.pick({ key: true, token: true })
const Listed = Token.pick({
  id: true,
  key: true,
  user: true,
  description: true,
  write_enabled: true,
  expires: true,
  last_used: true,
})

/** The tokens of a running system, over REST. */
export const remoteTokens = (remote: Remote): TokenStore => ({
  create: ({ version, user, readOnly, expires, description }) =>
    Effect.gen(function* () {
      const owner =
        user === null
          ? (yield* call(remote)({ method: 'GET', path: '/api/authentication-check/', answer: Me })).id
          : { username: user }
      const body = { user: owner, version, write_enabled: !readOnly, expires, description }
      const { key, token } = yield* call(remote)({ method: 'POST', path, body, answer: Made })
      return key === null || token.startsWith('nbt_') ? token : `nbt_${key}.${token}`
    }),
  list: () =>
    Effect.map(readAll(remote)(path, Listed), (tokens) =>
      tokens.map(({ user, write_enabled, last_used, ...token }) => ({
        ...token,
        username: user.username,
        writes: write_enabled,
        lastUsed: last_used,
      })),
    ),
  revoke: (id) => Effect.asVoid(call(remote)({ method: 'DELETE', path: `${path}${id}/`, answer: z.unknown() })),
})
