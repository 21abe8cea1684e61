import { createHash } from 'node:crypto'
import { getConnInfo } from '@hono/node-server/conninfo'
import { isLoopback } from '@netbox-pbs/app-shell'
import { GatewayKeys, type StoreFailed } from '@netbox-pbs/core/ports'
import { Clock, Effect } from 'effect'
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import type { FailedAttempts } from './failed-attempts.ts'
import { HttpError } from './http-error.ts'
import { readBody } from './read-body.ts'
import type { Run } from './run.ts'

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
 * Admits a request with a known key, after any number of failed attempts from its address, and
 * rejects all others in proxbox-api's words. Wrong keys are counted by address and by their
 * beginning, so that one program with an old key does not use up the attempts of others behind the
 * same proxy.
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
 * Whether a request comes from this machine: the peer is loopback, there is no proxy, which could
 * forward for others, and no browser page, which could be from any site.
 */
const isLocalCaller = (c: Context): boolean =>
  isLoopback(remoteAddress(c)) &&
  ['origin', 'forwarded', 'x-forwarded-for', 'x-real-ip'].every((name) => c.req.header(name) === undefined)

const Registration = z.object({
  api_key: z.string('must be text').max(512, 'must have at most 512 characters'),
  label: z.string('must be text').max(255, 'must have at most 255 characters').default(''),
})

/** `/auth/*`: how the first key comes in. Needs no key itself; registering answers on loopback only. */
export const authRoutes = (run: Run<GatewayKeys>): Hono =>
  new Hono()
    .get('/bootstrap-status', (c) =>
      run(
        c,
        Effect.gen(function* () {
          const any = yield* (yield* GatewayKeys).any()
          return c.json({ needs_bootstrap: !any, has_db_keys: any })
        }),
      ),
    )
    .post('/register-key', (c) =>
      run(
        c,
        Effect.gen(function* () {
          if (!isLocalCaller(c)) {
            return yield* new HttpError({
              status: 403,
              detail: 'Keys are registered from the machine of the gateway only: call it on 127.0.0.1.',
            })
          }
          const { api_key, label } = yield* readBody(c, Registration)
          if (api_key.length < minKeyLength) {
            return yield* new HttpError({
              status: 400,
              detail: `API key must be at least ${minKeyLength} characters long.`,
            })
          }
          const first = yield* (yield* GatewayKeys).addFirst({ hash: hashKey(api_key), label })
          if (!first) {
            return yield* new HttpError({ status: 409, detail: 'An API key is registered already.' })
          }
          return c.json({ detail: 'API key registered.' }, 201)
        }),
      ),
    )
