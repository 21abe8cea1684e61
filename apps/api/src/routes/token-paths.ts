import { ApiTokens } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { hashSecret, newCredentials } from '../accounts/token-text.ts'
import { pathId } from '../inventory/find-row.ts'
import { bodyErrors, errorResponses, idParameter, json, notFoundResponse, ref, response } from '../openapi/responses.ts'
import { servedToken, tokenFilter } from '../records/token.ts'
import { actorOf, type Caller } from '../rest/caller.ts'
import { invalid, notFound } from '../rest/http-error.ts'
import { baseUrl, tokensPath } from '../rest/links.ts'
import { readBody } from '../rest/read-body.ts'
import { type Path, type Route, route } from '../rest/route.ts'
import { readTokenInput, type TokenInput } from './token-input.ts'

const path = tokensPath

import { recordList } from './record-list.ts'

const tags = ['users']

const listRoute = recordList({
  path,
  operationId: 'users_tokens_list',
  tags,
  description: 'The tokens, without their secrets',
  schema: 'TokenList',
  filter: tokenFilter,
  read: (query) => Effect.flatMap(ApiTokens, (tokens) => tokens.list(query)),
  serve: (token, base) => servedToken(base, token),
})

const createRoute: Route = route(
  {
    method: 'post',
    path,
    tags,
    operationId: 'users_tokens_create',
    summary: 'Create an API token',
    description: 'The answer has the token as a whole, this once.',
    requestBody: { content: json(ref('TokenRequest')) },
    responses: {
      ...errorResponses,
      201: response('The token, with its secret this once', ref('NewToken')),
      ...bodyErrors,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const read = readTokenInput(yield* readBody(c), c.get('caller'))
      if ('errors' in read) return yield* invalid(read.errors)
      const { user, ...about } = read.input
      const tokens = yield* ApiTokens
      const caller = c.get('caller')
      if (user !== null) yield* ownUser(user, caller)
      const { key, secret } = newCredentials()
      const token = yield* tokens.create({
        key,
        secretHash: hashSecret(secret),
        username: caller.username,
        ...about,
        actor: actorOf(c),
      })
      const base = baseUrl(c)
      return c.json({ ...servedToken(base, token), token: secret }, 201, { Location: `${base}${path}${token.id}/` })
    }),
)

const detailRoute: Route = route(
  {
    method: 'get',
    path: `${path}{id}/`,
    tags,
    operationId: 'users_tokens_retrieve',
    summary: 'Get an API token',
    description: 'Its user, rights and times, without its secret.',
    parameters: [idParameter],
    responses: { ...errorResponses, 200: response('The token, without its secret', ref('Token')), ...notFoundResponse },
  },
  (c) =>
    Effect.gen(function* () {
      const tokens = yield* ApiTokens
      const token = yield* tokens.get({ id: yield* pathId(c) })
      return Option.isSome(token) ? c.json(servedToken(baseUrl(c), token.value)) : yield* noSuchToken
    }),
)

const removeRoute: Route = route(
  {
    method: 'delete',
    path: `${path}{id}/`,
    tags,
    operationId: 'users_tokens_destroy',
    summary: 'Delete an API token',
    description: 'Sessions that it opened end with it.',
    parameters: [idParameter],
    responses: {
      ...errorResponses,
      204: { description: 'The token is no longer valid' },
      ...notFoundResponse,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const tokens = yield* ApiTokens
      return (yield* tokens.remove({ id: yield* pathId(c), actor: actorOf(c) }))
        ? c.body(null, 204)
        : yield* noSuchToken
    }),
)

/** The API tokens: each is listed by its public key and shows its secret once, when it is made. */
export const tokenPaths: ReadonlyArray<Path> = [
  { routes: [listRoute, createRoute] },
  { routes: [detailRoute, removeRoute] },
]

/**
 * A token is made only for the user who asks: there are no roles yet, so a token of another user
 * could approve edits in that user's name.
 */
const ownUser = ({ id, username, notFound: none }: NonNullable<TokenInput['user']>, caller: Caller) =>
  Effect.gen(function* () {
    const tokens = yield* ApiTokens
    const byId = id === null || Number.isSafeInteger(id)
    const found = byId ? yield* tokens.user({ id, username }) : Option.none()
    if (Option.isNone(found)) return yield* invalid({ user: [none] })
    if (found.value.id !== caller.id)
      return yield* invalid({ user: [`A token can be made for your own user, ${caller.username}, only.`] })
  })

const noSuchToken = notFound('No Token matches the given query.')
