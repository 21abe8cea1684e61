import { createHash, timingSafeEqual } from 'node:crypto'
import { type ApiToken, ApiTokens, type StoreFailed } from '@netbox-pbs/core/ports'
import { Clock, Effect, Option } from 'effect'
import type { Caller } from './caller.ts'
import { forbidden, type Refused } from './refused.ts'

/** Hex SHA-256 of a token's secret part, as it is stored. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** Who an `Authorization` header stands for. Each way to be wrong has NetBox's own sentence, all of them 403. */
export const authenticate = Effect.fn('authenticate')(function* (
  header: string | undefined,
): Effect.fn.Return<Caller, Refused | StoreFailed, ApiTokens> {
  const { key, secret } = yield* readHeader(header)
  const tokens = yield* ApiTokens
  const found = Option.getOrNull(yield* tokens.find({ key }))
  if (found === null || !sameHash(hashSecret(secret), found.secretHash)) return yield* forbidden('Invalid v2 token')
  const now = yield* Clock.currentTimeMillis
  if (!found.enabled) return yield* forbidden('Token disabled')
  if (found.expires !== null && Date.parse(found.expires) <= now) return yield* forbidden('Token expired')
  if (usedLongAgo(found, now)) yield* tokens.used({ id: found.id })
  return { ...found.user, write_enabled: found.write_enabled }
})

type Credentials = { readonly key: string; readonly secret: string }

const readHeader = (header: string | undefined): Effect.Effect<Credentials, Refused> => {
  const [keyword = '', ...values] = (header ?? '').trim().split(/\s+/)
  if (!/^(?:token|bearer)$/i.test(keyword))
    return Effect.fail(forbidden('Authentication credentials were not provided.'))
  const [value] = values
  if (value === undefined || values.length > 1) {
    return malformed('Must be in the form "Bearer <key>.<token>" or "Token <token>"')
  }
  if (!value.startsWith('nbt_')) return Effect.fail(forbidden('Invalid v1 token'))
  const dot = value.indexOf('.')
  if (dot < 0) return malformed("Could not parse key from v2 token. Did you mean to use 'Token' instead of 'Bearer'?")
  return Effect.succeed({ key: value.slice('nbt_'.length, dot), secret: value.slice(dot + 1) })
}

const malformed = (why: string) => Effect.fail(forbidden(`Invalid authorization header: ${why}`))

const sameHash = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))

const usedLongAgo = ({ last_used }: ApiToken, now: number): boolean =>
  last_used === null || now - Date.parse(last_used) >= 60_000
