import { type ApiToken, ApiTokens, type Identities, type StoreFailed } from '@netbox-pbs/core/ports'
import { Clock, Effect, Option } from 'effect'
import type { NetBoxTokens } from '../netbox/netbox-tokens.ts'
import type { Caller } from '../rest/caller.ts'
import { forbidden, type HttpError } from '../rest/http-error.ts'
import { isAllowed } from './allowed-networks.ts'
import { netBoxCaller } from './netbox-caller.ts'
import { type Credentials, readToken, secretHasHash, tokenText } from './token-text.ts'

/** How a request says who asks. */
interface Sender {
  /** Its `Authorization` header. */
  readonly header: string | undefined
  /** Where the client is; null: unknown. */
  readonly address: string | null
  /** Of the request, for the change log. */
  readonly requestId: string
}

/**
 * The user of an `Authorization` header: of a token of this system, or of one that only the configured
 * NetBox knows. Each kind of invalid header is a 403 with NetBox's own sentence, and the checks have
 * NetBox's order.
 */
export const authenticate = Effect.fn('authenticate')(function* ({
  header,
  address,
  requestId,
}: Sender): Effect.fn.Return<Caller, HttpError | StoreFailed, ApiTokens | Identities | NetBoxTokens> {
  const credentials = yield* readHeader(header)
  const own = yield* authenticateOwn(credentials, address)
  if (own !== null) return own
  const { version, key } = credentials
  const text = tokenText(credentials)
  return (yield* netBoxCaller({ version, key, text, address, requestId })) ?? (yield* invalidToken(credentials))
})

/** The user of a token of this system that comes from an address; null: there is no such token. */
export const authenticateOwn = Effect.fn('authenticateOwn')(function* (
  credentials: Credentials,
  address: string | null,
): Effect.fn.Return<Caller | null, HttpError | StoreFailed, ApiTokens> {
  const { key, secret } = credentials
  const tokens = yield* ApiTokens
  const found = Option.getOrNull(yield* tokens.find({ key }))
  if (found === null) return null
  if (!secretHasHash(secret, found.secretHash)) return yield* invalidToken(credentials)
  if (!isAllowed(found.allowed_ips, address))
    return yield* forbidden(`Source IP ${address} is not permitted to authenticate using this token.`)
  const now = yield* Clock.currentTimeMillis
  if (!found.enabled) return yield* forbidden('Token disabled')
  if (found.expires !== null && Date.parse(found.expires) <= now) return yield* forbidden('Token expired')
  const { is_active, role, servers } = found.rights
  if (!is_active) return yield* forbidden('User inactive')
  if (usedLongAgo(found, now)) yield* tokens.used({ id: found.id })
  return { ...found.user, role, servers, write_enabled: found.write_enabled, expires: found.expires }
})

const invalidToken = ({ version }: Credentials) => forbidden(`Invalid v${version} token`)

const readHeader = (header: string | undefined): Effect.Effect<Credentials, HttpError> => {
  const [keyword = '', ...values] = (header ?? '').trim().split(/\s+/)
  if (!/^(?:token|bearer)$/i.test(keyword))
    return Effect.fail(forbidden('Authentication credentials were not provided.'))
  const [value] = values
  if (value === undefined || values.length > 1) {
    return malformed('Must be in the form "Bearer <key>.<token>" or "Token <token>"')
  }
  const credentials = readToken(value)
  return credentials === null
    ? malformed("Could not parse key from v2 token. Did you mean to use 'Token' instead of 'Bearer'?")
    : Effect.succeed(credentials)
}

const malformed = (why: string) => Effect.fail(forbidden(`Invalid authorization header: ${why}`))

const usedLongAgo = ({ last_used }: ApiToken, now: number): boolean =>
  // One in the future was written by a clock that was ahead.
  last_used === null || Math.abs(now - Date.parse(last_used)) >= 60_000
