import { Identities } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { Hono } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { z } from 'zod'
import { OpenId, type PendingSignIn } from '../../openid/openid.ts'
import type { ApiContext, ApiEnv } from '../../rest/caller.ts'
import { baseUrl } from '../../rest/links.ts'
import { openIdPage, ownPath } from '../../rest/page-paths.ts'
import type { Page, ServePage } from '../serve-page.tsx'
import { signIn } from '../session.ts'
import { signInForm } from './sign-in-pages.tsx'

const cookie = 'netbox_pbs_openid'
/** Seconds that a user may take at the provider. */
const lifetime = 600

/** Signing in with a provider of OpenID Connect: there, and back. */
export const openIdPages = (serve: ServePage): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .get('/login/openid/', (c) => serve(c, toProvider(c)))
    .get('/login/openid/callback/', (c) => serve(c, fromProvider(c)))

const callbackOf = (c: ApiContext): string => `${baseUrl(c)}${openIdPage}callback/`

/** The cookie comes back from the provider's site with the browser's GET, which Lax allows. */
const cookieScope = (c: ApiContext) => {
  const { prefix, scheme } = c.get('client')
  return { path: `${prefix}${openIdPage}`, httpOnly: true, sameSite: 'Lax', secure: scheme === 'https' } as const
}

const Kept = z.object({ state: z.string(), nonce: z.string(), codeVerifier: z.string(), next: z.string() })

const toProvider = (c: ApiContext): Page =>
  Effect.gen(function* () {
    const openId = yield* OpenId
    const next = ownPath(c.req.query('next'))
    if (openId.name === null)
      return yield* signInForm(next, { error: 'No sign-in service is configured.', status: 404 })
    const { url, pending } = yield* openId.begin({ redirectUri: callbackOf(c) })
    setCookie(c, cookie, JSON.stringify({ ...pending, next }), { ...cookieScope(c), maxAge: lifetime })
    return c.redirect(url, 303)
  }).pipe(Effect.catchTag('ProviderFailed', (failed) => told(failed)))

const fromProvider = (c: ApiContext): Page =>
  Effect.gen(function* () {
    const kept = keptIn(c)
    deleteCookie(c, cookie, cookieScope(c))
    if (kept === null) {
      const error = 'This sign-in was begun in another browser, or took longer than ten minutes. Try again.'
      return yield* signInForm(ownPath(undefined), { error, status: 403 })
    }
    const openId = yield* OpenId
    const person = yield* openId.finish({ url: `${callbackOf(c)}${new URL(c.req.url).search}`, pending: kept })
    const identities = yield* Identities
    const { id } = yield* identities.signIn({ ...person, requestId: c.get('requestId') })
    yield* signIn(c, { id, writes: true, until: null, tokenId: null })
    return c.redirect(ownPath(kept.next), 303)
  }).pipe(
    Effect.catchTags({
      ProviderFailed: (failed) => told(failed),
      SignInRefused: ({ message }) => refused(message),
      UsernameTaken: ({ username }) =>
        refused(
          `There is another user ${username} here, who does not sign in with this service. Ask an administrator to rename that user.`,
        ),
      UserNotActive: ({ username }) => refused(`The user ${username} is not active here.`),
      LastAdmin: () => refused('You are the only admin here, and none of your groups makes you one any more.'),
    }),
  )

/** The values that the browser kept; null: none, or none that this system has set. */
function keptIn(c: ApiContext): (PendingSignIn & { readonly next: string }) | null {
  try {
    return Kept.safeParse(JSON.parse(getCookie(c, cookie) ?? '')).data ?? null
  } catch {
    return null
  }
}

const refused = (error: string) => signInForm(ownPath(undefined), { error, status: 403 })

/** The reason goes to the log: it may name addresses inside the network. */
const told = ({ message, cause }: { readonly message: string; readonly cause: unknown }) =>
  Effect.zipRight(
    Effect.logWarning('the sign-in service failed', cause),
    signInForm(ownPath(undefined), { error: message, status: 502 }),
  )
