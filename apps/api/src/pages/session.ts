import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { type Session, Sessions, type StoreFailed } from '@netbox-pbs/core/ports'
import { Clock, Effect, Option } from 'effect'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { ApiContext } from '../http/caller.ts'
import type { Viewer } from './view/layout.tsx'

const cookie = 'netbox_pbs_session'
const path = '/plugins/pbs'
const lifetimeSeconds = 12 * 3600

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** How a session or link id is stored: never itself. */
export const idHash = sha256

/** A signed-in visitor, and the token that their forms must carry. */
export interface Visitor {
  readonly session: Session
  readonly viewer: Viewer
}

const formTokenOf = (id: string): string => sha256(`form:${id}`)

const isoNow = Effect.map(Clock.currentTimeMillis, (millis) => new Date(millis).toISOString())

/** The visitor whose session cookie the request carries; none when there is none, or it has expired. */
export const visitorOf = Effect.fn('pages.visitorOf')(function* (c: ApiContext) {
  const id = getCookie(c, cookie)
  if (id === undefined || id === '') return Option.none<Visitor>()
  const sessions = yield* Sessions
  const found = yield* sessions.find({ idHash: idHash(id), now: yield* isoNow })
  return Option.map(
    found,
    (session): Visitor => ({
      session,
      viewer: { username: session.user.username, writes: session.write_enabled, formToken: formTokenOf(id) },
    }),
  )
})

/** Opens a session and sets its cookie: HttpOnly, SameSite=Lax, for the pages only. */
export const signIn = Effect.fn('pages.signIn')(function* (
  c: ApiContext,
  user: { readonly id: number; readonly writes: boolean },
) {
  const id = randomBytes(32).toString('base64url')
  const expires = new Date((yield* Clock.currentTimeMillis) + lifetimeSeconds * 1000).toISOString()
  const sessions = yield* Sessions
  yield* sessions.create({ idHash: idHash(id), userId: user.id, write_enabled: user.writes, expires })
  setCookie(c, cookie, id, {
    path,
    httpOnly: true,
    sameSite: 'Lax',
    secure: new URL(c.req.url).protocol === 'https:',
    maxAge: lifetimeSeconds,
  })
})

/** Ends the session of the request. */
export const signOut = (c: ApiContext): Effect.Effect<void, StoreFailed, Sessions> =>
  Effect.gen(function* () {
    const id = deleteCookie(c, cookie, { path })
    const sessions = yield* Sessions
    if (id !== undefined) yield* sessions.remove({ idHash: idHash(id) })
  })

/** Redeems a one-time link; none when it is unknown, used or expired. */
export const redeemLink = Effect.fn('pages.redeemLink')(function* (id: string) {
  const sessions = yield* Sessions
  return yield* sessions.redeemLink({ idHash: idHash(id), now: yield* isoNow })
})

/** Whether a form comes from a page of ours: same origin, and the token of this session. */
export function isOwnForm(c: ApiContext, visitor: Visitor, formToken: unknown): boolean {
  return isOwnOrigin(c) && typeof formToken === 'string' && equal(formToken, visitor.viewer.formToken)
}

/** Whether the browser says that a form was sent from this very host. Browsers send `Origin` with every POST. */
export function isOwnOrigin(c: ApiContext): boolean {
  const origin = c.req.header('origin')
  if (origin === undefined) return c.req.header('sec-fetch-site') === 'same-origin'
  return URL.canParse(origin) && new URL(origin).host === c.req.header('host')
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
