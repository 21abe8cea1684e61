import { maxValues, type ReferencedRows } from '@netbox-pbs/core'
import { type ApiToken, ApiTokens, type NewApiToken, Users } from '@netbox-pbs/core/ports'
import { Clock, Effect, Option } from 'effect'
import { readTokenChange, readTokenInput, type TokenInput } from '../accounts/token-input.ts'
import { hashSecret, newCredentials } from '../accounts/token-text.ts'
import { servedToken, tokenFilter } from '../records/token.ts'
import { type ApiContext, actorOf, type Caller, isAdmin } from '../rest/caller.ts'
import { forbidden, type HttpError } from '../rest/http-error.ts'
import { baseUrl, tokensPath } from '../rest/links.ts'
import type { Path } from '../rest/route.ts'
import { recordList } from './record-list.ts'
import { type RecordTarget, recordPaths, type Written } from './record-writes.ts'

const tags = ['users']

/** Of the users that a filter names those that the caller may see. */
const visibleUsers = (c: ApiContext, { names, ids }: ReferencedRows) =>
  Effect.gen(function* () {
    const caller = c.get('caller')
    const users = yield* Users
    const page = { ...(isAdmin(caller) ? {} : { ids: [caller.id] }), limit: maxValues, offset: 0 }
    const by = (field: 'id' | 'username', values: ReadonlyArray<string | number>) =>
      values.length === 0
        ? Effect.succeed([])
        : Effect.map(users.list({ ...page, where: [{ field, lookup: 'exact', values }] }), ({ rows }) => rows)
    const [named, numbered] = [yield* by('username', names), yield* by('id', ids)]
    return {
      idsByName: new Map(named.map(({ username, id }) => [username, id])),
      ids: new Set(numbered.map(({ id }) => id)),
    }
  })

const listRoute = recordList({
  path: tokensPath,
  operationId: 'users_tokens_list',
  tags,
  description: 'The tokens, without their secrets, the newest first',
  schema: 'TokenList',
  filter: tokenFilter,
  brief: ['version', 'key', 'enabled', 'write_enabled', 'description'],
  references: visibleUsers,
  read: (query, c) => Effect.flatMap(ApiTokens, (tokens) => tokens.list({ ...query, ...ownOf(c) })),
  cursor: { idOf: ({ id }) => id, ordered: true },
  serve: (token, base) => servedToken(base, token),
})

/** Users see their own tokens, and admins all. */
const ownOf = (c: ApiContext) => {
  const caller = c.get('caller')
  return isAdmin(caller) ? {} : { userIds: [caller.id] }
}

/** The API tokens: each is listed by its public key and shows its secret once, when it is made. */
export const tokenPaths: ReadonlyArray<Path> = recordPaths(listRoute, {
  path: tokensPath,
  tags,
  operations: 'users_tokens',
  label: 'Token',
  labelPlural: 'API tokens',
  writers: 'viewer',
  schemas: {
    record: 'Token',
    created: 'NewToken',
    request: 'TokenRequest',
    change: 'TokenChange',
    changeOfMany: 'TokenChangeOfMany',
  },
  find: (c, ids) =>
    Effect.gen(function* () {
      const tokens = yield* ApiTokens
      const { rows } = yield* tokens.list({ ids, ...ownOf(c), limit: ids.length, offset: 0 })
      return rows.map((token) => servedToken(baseUrl(c), token))
    }),
  create: (c, bodies) => createTokens(c, bodies),
  change: (c, targets) => changeTokens(c, targets),
  remove: (c, ids) => Effect.flatMap(ApiTokens, (tokens) => tokens.remove({ ids, actor: actorOf(c) })),
})

const createTokens = (c: ApiContext, bodies: ReadonlyArray<unknown>) =>
  Effect.gen(function* () {
    const caller = c.get('caller')
    if (caller.ofNetBox === true) return yield* notWithNetBox
    const asked = { expires: caller.expires, now: yield* Clock.currentTimeMillis }
    const read = yield* Effect.forEach(bodies, (body) => prepare(readTokenInput(body, asked), caller))
    const errors = read.flatMap((item, at) => ('errors' in item ? [{ at, errors: item.errors }] : []))
    const prepared = read.flatMap((item) => ('errors' in item ? [] : [item]))
    if (errors.length > 0) return rejected(errors)
    const tokens = yield* ApiTokens
    return yield* tokens.createAll({ tokens: prepared.map(({ token }) => token), actor: actorOf(c) }).pipe(
      Effect.map((made) => written(made.map((token, at) => shown(c, token, prepared[at]?.secret)))),
      Effect.catchTag('TokenTaken', ({ at }) => Effect.succeed(rejected([{ at, errors: { token: [tokenTaken] } }]))),
    )
  })

const rejected = (errors: Extract<Written, { _tag: 'rejected' }>['errors']): Written => ({ _tag: 'rejected', errors })

const written = (records: Extract<Written, { _tag: 'written' }>['records']): Written => ({ _tag: 'written', records })

const shown = (c: ApiContext, token: ApiToken, secret: string | undefined) => ({
  ...servedToken(baseUrl(c), token),
  token: secret ?? '',
})

/** A token with its secret, as it will be stored; or why it cannot be. */
const prepare = (read: ReturnType<typeof readTokenInput>, caller: Caller) =>
  Effect.gen(function* () {
    if ('errors' in read) return read
    const { user, version, token: chosen, ...about } = read.input
    const owner = user === null ? { username: caller.username } : yield* ownerOf(user, caller)
    if ('notFound' in owner) return { errors: { user: [owner.notFound] } }
    const { key, secret } = newCredentials(version, chosen ?? undefined)
    const token: NewApiToken = { version, key, secretHash: hashSecret(secret), username: owner.username, ...about }
    return { token, secret }
  })

/** The error of a text that another token has. */
export const tokenTaken = 'Token with this token already exists.'

const changeTokens = (c: ApiContext, targets: ReadonlyArray<RecordTarget>) =>
  Effect.gen(function* () {
    const asked = { expires: c.get('caller').expires, now: yield* Clock.currentTimeMillis }
    const read = targets.map(({ id, input }) => ({ id, ...readTokenChange(input, asked) }))
    const errors = read.flatMap((item, at) => ('errors' in item ? [{ at, errors: item.errors }] : []))
    if (errors.length > 0) return rejected(errors)
    const changes = read.flatMap((item) => ('input' in item ? [{ id: item.id, change: item.input }] : []))
    const changed = yield* (yield* ApiTokens).update({ changes, actor: actorOf(c) })
    return written(changed.map((token) => servedToken(baseUrl(c), token)))
  })

/** The user that a body names: the caller, or for an admin any user. The error of a user that does not exist. */
const ownerOf = ({ id, username, notFound }: NonNullable<TokenInput['user']>, caller: Caller) =>
  Effect.gen(function* () {
    const tokens = yield* ApiTokens
    const byId = id === null || Number.isSafeInteger(id)
    const found = byId ? yield* tokens.user({ id, username }) : Option.none()
    if (Option.isNone(found)) return { notFound }
    if (found.value.id !== caller.id && !isAdmin(caller)) return yield* notForOthers
    return { username: found.value.username }
  })

/** It would be valid here after NetBox has ended the one of the request. */
const notWithNetBox: HttpError = forbidden(
  'A token of NetBox cannot create tokens here: sign in with a password, or send a token of this system.',
)

const notForOthers: HttpError = forbidden('This user does not have permission to create tokens for other users.')
