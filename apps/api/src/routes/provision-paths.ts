import { ApiTokens, type StoreFailed, type User, type Users } from '@netbox-pbs/core/ports'
import { Clock, Effect, Redacted } from 'effect'
import { authenticate } from '../accounts/authenticate.ts'
import { Passwords } from '../accounts/passwords.ts'
import { readTokenInput } from '../accounts/token-input.ts'
import { hashSecret, newCredentials } from '../accounts/token-text.ts'
import { bodyErrors, errorResponses, json, ref, response } from '../openapi/responses.ts'
import { servedToken } from '../records/token.ts'
import { type ApiContext, actorOf } from '../rest/caller.ts'
import { forbidden, HttpError, invalid } from '../rest/http-error.ts'
import { baseUrl, tokensPath } from '../rest/links.ts'
import { readBody } from '../rest/read-body.ts'
import { type Path, type Route, route } from '../rest/route.ts'
import { isDictionary, ownValue } from '../validation/validate-item.ts'
import { tokenTaken } from './token-paths.ts'

const provisionRoute: Route = route(
  {
    method: 'post',
    path: `${tokensPath}provision/`,
    tags: ['users'],
    operationId: 'users_tokens_provision_create',
    summary: 'Create an API token with a password',
    description: 'Needs no token. The token belongs to the user of the password, and is shown this once.',
    security: [],
    requestBody: { content: json(ref('TokenProvision')) },
    responses: {
      ...errorResponses,
      201: response('The token, with its secret this once', ref('NewToken')),
      ...bodyErrors,
      403: response('The user name and the password do not belong together', ref('Detail')),
      429: response('Too many logins have failed; Retry-After says for how long', ref('Detail')),
    },
  },
  (c) =>
    Effect.gen(function* () {
      // A bad token is refused here too, as everywhere.
      const header = c.req.header('authorization')
      if (header !== undefined && /^\s*(?:token|bearer)\b/i.test(header))
        yield* authenticate({ header, address: c.get('client').address, requestId: c.get('requestId') })
      const body = yield* readBody(c)
      const now = yield* Clock.currentTimeMillis
      // The token is the user's of the password, whoever the body names.
      const read = readTokenInput(isDictionary(body) ? { ...body, user: undefined } : body, { expires: null, now })
      const missing = isDictionary(body) ? missingLogin(body) : {}
      if ('errors' in read) return yield* invalid({ ...missing, ...read.errors })
      if (Object.keys(missing).length > 0) return yield* invalid(missing)
      const user = yield* logIn(c, body)
      c.set('caller', { ...user, write_enabled: true, expires: null })
      const { user: __, version, token: chosen, ...about } = read.input
      const { key, secret } = newCredentials(version, chosen ?? undefined)
      const tokens = yield* ApiTokens
      const token = { version, key, secretHash: hashSecret(secret), username: user.username, ...about }
      const [made] = yield* Effect.catchTag(
        tokens.createAll({ tokens: [token], actor: actorOf(c) }),
        'TokenTaken',
        () => invalid({ token: [tokenTaken] }),
      )
      if (made === undefined) return yield* Effect.dieMessage('a token that was made is not returned')
      const base = baseUrl(c)
      return c.json({ ...servedToken(base, made), token: secret }, 201, { Location: `${base}${tokensPath}${made.id}/` })
    }),
)

const fields = ['username', 'password'] as const

function missingLogin(body: object): Readonly<Record<string, ReadonlyArray<string>>> {
  return Object.fromEntries(
    fields.flatMap((name) => {
      const value = ownValue(body, name)
      if (value === undefined) return [[name, ['This field is required.']]]
      if (typeof value !== 'string') return [[name, ['Not a valid string.']]]
      return value === '' ? [[name, ['This field may not be blank.']]] : []
    }),
  )
}

const logIn = (c: ApiContext, body: unknown): Effect.Effect<User, HttpError | StoreFailed, Passwords | Users> =>
  Effect.gen(function* () {
    const text = (name: string) => (isDictionary(body) ? String(ownValue(body, name)) : '')
    const passwords = yield* Passwords
    return yield* passwords
      .logIn({
        username: text('username'),
        password: Redacted.make(text('password')),
        address: c.get('client').address,
      })
      .pipe(
        Effect.catchTags({
          WrongPassword: ({ message }) => forbidden(message),
          LoginSlowed: ({ message, seconds }) =>
            new HttpError({ status: 429, body: { detail: message }, headers: { 'Retry-After': String(seconds) } }),
        }),
      )
  })

/** Makes a token for a user who has a password and no token yet. */
export const provisionPaths: ReadonlyArray<Path> = [{ open: true, routes: [provisionRoute] }]
