import { Effect } from 'effect'
import { z } from 'zod'
import { call, type Remote } from '../remote/remote-api.ts'
import { complain, say, table } from '../terminal.ts'

const Token = z.object({
  id: z.int(),
  key: z.string(),
  user: z.object({ id: z.int(), display: z.string() }),
  description: z.string(),
  write_enabled: z.boolean(),
  expires: z.string().nullable(),
  last_used: z.string().nullable(),
})
const TokenPage = z.object({ results: z.array(Token) })
const tokens = '/api/users/tokens/'

/** Makes a token and prints it; it is shown this once. */
export const createToken = (
  remote: Remote,
  options: { readonly readOnly: boolean; readonly expires: string | null; readonly description: string },
) =>
  Effect.gen(function* () {
    const me = yield* call(remote)({
      method: 'GET',
      path: '/api/authentication-check/',
      answer: z.object({ id: z.int() }),
    })
    const made = yield* call(remote)({
      method: 'POST',
      path: tokens,
      body: {
        user: me.id,
        write_enabled: !options.readOnly,
        expires: options.expires,
        description: options.description,
      },
      answer: z.object({ id: z.int(), key: z.string(), token: z.string() }),
    })
    complain(`token ${made.id} is shown this once:`)
    say(made.token.startsWith('nbt_') ? made.token : `nbt_${made.key}.${made.token}`)
  })

/** The tokens, a line each, without their secrets. */
export const listTokens = (remote: Remote) =>
  call(remote)({ method: 'GET', path: `${tokens}?limit=1000`, answer: TokenPage }).pipe(
    Effect.map(({ results }) =>
      say(
        table([
          ['ID', 'KEY', 'USER', 'WRITES', 'EXPIRES', 'LAST USED', 'DESCRIPTION'],
          ...results.map((t) => [
            `${t.id}`,
            t.key,
            t.user.display,
            t.write_enabled ? 'yes' : 'no',
            t.expires ?? 'never',
            t.last_used ?? 'never',
            t.description,
          ]),
        ]),
      ),
    ),
  )

/** Ends a token by its id. */
export const revokeToken = (remote: Remote, id: number) =>
  call(remote)({ method: 'DELETE', path: `${tokens}${id}/`, answer: z.unknown() }).pipe(
    Effect.map(() => say(`token ${id} is revoked`)),
  )
