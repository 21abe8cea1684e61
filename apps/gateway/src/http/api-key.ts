import { createHash } from 'node:crypto'
import { getConnInfo } from '@hono/node-server/conninfo'
import { isLoopback } from '@netbox-pbs/app-shell'
import { GatewayKeys, type StoreFailed } from '@netbox-pbs/core/ports'
import { Clock, Effect } from 'effect'
import type { Context } from 'hono'
import type { FailedAttempts } from './failed-attempts.ts'
import { HttpError } from './http-error.ts'

/** The shortest key that is accepted anywhere. */
export const minKeyLength = 32

/** Keys are stored and compared as hex SHA-256: they are long and random, so a slow hash adds nothing. */
export const hashKey = (key: string): string => createHash('sha256').update(key).digest('hex')

/** The key of a request: `X-Proxbox-API-Key` as proxbox-api reads it, else `Authorization: Bearer`. */
export const presentedKey = (header: (name: string) => string | undefined): string | null => {
  const own = header('x-proxbox-api-key')?.trim() ?? ''
  if (own !== '') return own
  return /^Bearer +(\S+)$/i.exec(header('authorization')?.trim() ?? '')?.[1] ?? null
}

/** So many characters of a wrong key tell one wrong key from another. */
const prefixLength = 8

/**
 * Lets a request with a known key pass, whatever was tried before from its address, and refuses all
 * others in proxbox-api's words. Wrong keys are counted by address and by their beginning, so that
 * one program with an old key does not use up the attempts of others behind the same proxy.
 */
export const requireKey = (request: {
  readonly key: string | null
  readonly address: string
  readonly attempts: FailedAttempts
}): Effect.Effect<void, HttpError | StoreFailed, GatewayKeys> =>
  Effect.gen(function* () {
    const { key, address, attempts } = request
    const keys = yield* GatewayKeys
    const now = yield* Clock.currentTimeMillis
    const caller = `${address} ${(key ?? '').slice(0, prefixLength)}`
    if (key !== null && (yield* keys.known({ hash: hashKey(key) }))) return attempts.clear(caller)
    const wait = attempts.retryAfter(caller, now)
    if (wait > 0) {
      return yield* new HttpError({
        status: 429,
        detail: 'Too many failed authentication attempts. Please try again later.',
        headers: { 'Retry-After': String(wait) },
      })
    }
    if (!(yield* keys.any())) {
      return yield* new HttpError({
        status: 401,
        detail: 'No API key configured. Register a key via POST /auth/register-key or use an existing key.',
      })
    }
    if (key !== null) attempts.note(caller, now)
    const remaining = `${attempts.remaining(caller, now)} attempts remaining.`
    return yield* new HttpError({
      status: 401,
      detail: key === null ? `API key required. ${remaining}` : `Invalid API key. ${remaining}`,
    })
  })

/** The address of the peer of the connection. Forwarding headers are not believed. */
export const remoteAddress = (c: Context): string => (getConnInfo(c).remote.address ?? '').replace(/^::ffff:/, '')

/**
 * Whether a request was made by somebody on this machine: the peer is loopback, no proxy speaks for
 * others, and it is no page in a browser, which could be anybody's.
 */
export const isLocalCaller = (c: Context): boolean =>
  isLoopback(remoteAddress(c)) &&
  ['origin', 'forwarded', 'x-forwarded-for', 'x-real-ip'].every((name) => c.req.header(name) === undefined)
