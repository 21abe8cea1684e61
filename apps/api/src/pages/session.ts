import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { formatTimestamp, roleAllows } from '@netbox-pbs/core'
import { Sessions, type StoreFailed } from '@netbox-pbs/core/ports'
import { now as currentTimestamp } from '@netbox-pbs/sync'
import { Clock, Effect, Option } from 'effect'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { ApiContext } from '../rest/caller.ts'
import { signInPage } from '../rest/page-paths.ts'
import type { Viewer } from './components/viewer.ts'
import { maskToken, unmaskToken } from './mask-token.ts'
import type { Form } from './serve-page.tsx'

const cookie = 'netbox_pbs_session'
const lifetimeMillis = 12 * 3600_000

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** A new random id of a session or link. */
const newId = (): string => randomBytes(32).toString('base64url')

/** How the id of a session or link is stored: never itself. */
const idHash = sha256

const formTokenOf = (id: string): string => sha256(`form:${id}`)

/** The visitor whose session the request carries; none without one, or when it has expired. */
export const visitorOf = Effect.fn('pages.visitorOf')(function* (c: ApiContext) {
  const id = getCookie(c, cookie)
  if (id === undefined || id === '') return Option.none<Viewer>()
  const sessions = yield* Sessions
  const session = yield* sessions.find({ idHash: idHash(id), now: yield* currentTimestamp })
  return Option.map(
    session,
    ({ user, write_enabled }): Viewer => ({
      username: user.username,
      servers: user.servers,
      writes: write_enabled && roleAllows(user.role, 'admin'),
      operates: write_enabled && roleAllows(user.role, 'operator'),
      session: formTokenOf(id),
      formToken: maskToken(formTokenOf(id)),
    }),
  )
})

/**
 * Opens a session in place of the request's earlier one and sets its cookie: HttpOnly,
 * SameSite=Lax, for the pages only. It ends with the token that opened it, also when that is
 * removed.
 */
export const signIn = Effect.fn('pages.signIn')(function* (
  c: ApiContext,
  user: {
    readonly id: number
    readonly writes: boolean
    readonly until: string | null
    readonly tokenId: number | null
  },
) {
  yield* endSession(c)
  const id = newId()
  const now = yield* Clock.currentTimeMillis
  const ends = Math.min(now + lifetimeMillis, user.until === null ? Number.POSITIVE_INFINITY : Date.parse(user.until))
  const sessions = yield* Sessions
  const expires = formatTimestamp(ends)
  yield* sessions.create({
    idHash: idHash(id),
    userId: user.id,
    write_enabled: user.writes,
    expires,
    tokenId: user.tokenId,
  })
  setCookie(c, cookie, id, { ...cookieScope(c), maxAge: Math.max(0, Math.floor((ends - now) / 1000)) })
})

/** Ends the session of the request. */
export const signOut = (c: ApiContext): Effect.Effect<void, StoreFailed, Sessions> =>
  Effect.tap(endSession(c), () => Effect.sync(() => deleteCookie(c, cookie, cookieScope(c))))

const endSession = (c: ApiContext): Effect.Effect<void, StoreFailed, Sessions> =>
  Effect.gen(function* () {
    const id = getCookie(c, cookie)
    const sessions = yield* Sessions
    if (id !== undefined && id !== '') yield* sessions.remove({ idHash: idHash(id) })
  })

const cookieScope = (c: ApiContext) => {
  const { prefix, scheme } = c.get('client')
  return { path: `${prefix}/plugins/pbs`, httpOnly: true, sameSite: 'Lax', secure: scheme === 'https' } as const
}

/** Uses a one-time link up; none when it is unknown, used or expired. */
export const redeemLink = Effect.fn('pages.redeemLink')(function* (id: string) {
  const sessions = yield* Sessions
  return yield* sessions.redeemLink({ idHash: idHash(id), now: yield* currentTimestamp })
})

/** Whether a form comes from a page of this session: from our origin, with the session's form token. */
export function isOwnForm(c: ApiContext, viewer: Viewer, { form_token = '' }: Form): boolean {
  return isOwnOrigin(c) && equal(unmaskToken(form_token), viewer.session)
}

/** Whether the browser says that a form was sent from this very host. Browsers send `Origin` with every POST. */
export function isOwnOrigin(c: ApiContext): boolean {
  const origin = c.req.header('origin')
  if (origin === undefined) return c.req.header('sec-fetch-site') === 'same-origin'
  return URL.canParse(origin) && new URL(origin).host === c.get('client').host
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

const linkLifetimeMillis = 3600_000

/** The path of a link that signs a browser in as this user, once and within an hour. */
export const signInLink = (username: string): Effect.Effect<string, StoreFailed, Sessions> =>
  Effect.gen(function* () {
    const id = newId()
    const sessions = yield* Sessions
    const expires = formatTimestamp((yield* Clock.currentTimeMillis) + linkLifetimeMillis)
    yield* sessions.createLink({ idHash: idHash(id), username, expires })
    return `${signInPage}${id}/`
  })
