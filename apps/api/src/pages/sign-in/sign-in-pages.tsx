import { ApiTokens } from '@netbox-pbs/core/ports'
import { Effect, Option, Redacted } from 'effect'
import { Hono } from 'hono'
import { authenticateOwn } from '../../accounts/authenticate.ts'
import { Passwords } from '../../accounts/passwords.ts'
import { readToken } from '../../accounts/token-text.ts'
import { OpenId } from '../../openid/openid.ts'
import type { ApiContext, ApiEnv } from '../../rest/caller.ts'
import { home, openIdPage, ownPath, signInPage } from '../../rest/page-paths.ts'
import { Alert } from '../components/alert.tsx'
import { Layout } from '../components/layout.tsx'
import { html, type Page, type ServePage, seeOther, withForm } from '../serve-page.tsx'
import { isOwnOrigin, redeemLink, signIn, signOut } from '../session.ts'
import { forForm } from '../visitor-page.ts'

const linkPath = '/login/:link{[A-Za-z0-9_-]{20,100}}/'

/** Signing in, with a password, a pasted token or a one-time link, and out. */
export const signInPages = (serve: ServePage): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .get('/login/', (c) => serve(c, signInForm(ownPath(c.req.query('next')))))
    .post('/login/', (c) => serve(c, byForm(c)))
    .get(linkPath, (c) => linkForm(c.req.param('link')))
    .post(linkPath, (c) => serve(c, byLink(c, c.req.param('link'))))
    .get('/logout/', () => seeOther(home))
    .post('/logout/', (c) => serve(c, out(c)))

/** The form that signs in, with the reason why it is shown again. */
export const signInForm = (
  next: string,
  {
    error = null,
    status = error === null ? 200 : 403,
  }: { readonly error?: string | null; readonly status?: number } = {},
): Effect.Effect<Response, never, OpenId> =>
  Effect.map(OpenId, ({ name }) =>
    html(
      <Layout title="Sign in" path={signInPage} viewer={null}>
        <SignIn next={next} error={error} provider={name} />
      </Layout>,
      status,
    ),
  )

const byForm = (c: ApiContext): Page =>
  withForm(c, ({ next: requested, username, password = '', token = '' }) => {
    const next = ownPath(requested)
    if (!isOwnOrigin(c))
      return signInForm(next, { error: 'This form was not sent from this page. Load the page again and retry.' })
    return username === undefined ? byToken(c, next, token.trim()) : byPassword(c, next, { username, password })
  })

const byToken = (c: ApiContext, next: string, token: string): Page =>
  Effect.gen(function* () {
    const user = yield* userOfToken(token, c.get('client').address)
    if (user === null) return yield* signInForm(next, { error: 'This token is unknown, disabled or expired.' })
    yield* signIn(c, user)
    return c.redirect(next, 303)
  })

const byPassword = (
  c: ApiContext,
  next: string,
  login: { readonly username: string; readonly password: string },
): Page =>
  Effect.gen(function* () {
    const passwords = yield* Passwords
    const { id } = yield* passwords.logIn({
      username: login.username.trim(),
      password: Redacted.make(login.password),
      address: c.get('client').address,
    })
    yield* signIn(c, { id, writes: true, until: null, tokenId: null })
    return c.redirect(next, 303)
  }).pipe(
    Effect.catchTags({
      WrongPassword: () => signInForm(next, { error: 'The user name and the password do not belong together.' }),
      LoginSlowed: ({ message, seconds }) =>
        Effect.tap(signInForm(next, { error: message, status: 429 }), (slowed) =>
          Effect.sync(() => slowed.headers.set('Retry-After', String(seconds))),
        ),
    }),
  )

const userOfToken = (token: string, address: string | null) =>
  Effect.gen(function* () {
    const credentials = readToken(token)
    const caller = credentials === null ? null : yield* authenticateOwn(credentials, address)
    if (credentials === null || caller === null) return null
    const tokens = yield* ApiTokens
    const found = yield* tokens.find({ key: credentials.key })
    if (Option.isNone(found)) return null
    return { id: caller.id, writes: caller.write_enabled, until: found.value.expires, tokenId: found.value.id }
  }).pipe(Effect.catchTag('HttpError', () => Effect.succeed(null)))

/**
 * Asks for a click before a link signs in. Programs that open links, such as previews and
 * prefetching terminals, send GET and must not use it up.
 */
const linkForm = (link: string): Response =>
  html(
    <Layout title="Sign in" path={signInPage} viewer={null}>
      <SignInByLink link={link} />
    </Layout>,
  )

const byLink = (c: ApiContext, link: string): Page =>
  Effect.gen(function* () {
    if (!isOwnOrigin(c))
      return yield* signInForm(home, { error: 'This form was not sent from this page. Open the link again and retry.' })
    const user = yield* redeemLink(link)
    if (Option.isNone(user))
      return yield* signInForm(home, { error: 'This link was used before or has expired. Sign in with a token.' })
    yield* signIn(c, { id: user.value.id, writes: true, until: null, tokenId: null })
    return c.redirect(home, 303)
  })

const out = (c: ApiContext): Page =>
  forForm(() => Effect.map(signOut(c), (): Response => c.redirect(signInPage, 303)), 'by server')(c)

/** Asks for a user name and a password, or for an API token. A token is not stored: it opens a session of its own. */
const SignIn = ({ next, error, provider }: { next: string; error: string | null; provider: string | null }) => (
  <>
    <h1 class="text-center mb-4">netbox-pbs</h1>
    {error === null ? null : <Alert kind="danger">{error}</Alert>}
    {provider === null ? null : (
      <a class="btn btn-primary w-100 mb-3" href={`${openIdPage}?${new URLSearchParams({ next })}`}>
        Sign in with {provider}
      </a>
    )}
    <form class="card card-md mb-3" method="post" action={signInPage}>
      <div class="card-body">
        <h2 class="text-center mb-4">Sign in</h2>
        <input type="hidden" name="next" value={next} />
        <div class="mb-3">
          <label class="form-label" for="username">
            User name
          </label>
          <input
            class="form-control"
            id="username"
            name="username"
            autocomplete="username"
            autocapitalize="none"
            required
            autofocus
          />
        </div>
        <div class="mb-3">
          <label class="form-label" for="password">
            Password
          </label>
          <input
            class="form-control"
            id="password"
            name="password"
            type="password"
            autocomplete="current-password"
            required
          />
        </div>
        <div class="form-footer">
          <button class="btn btn-primary w-100" type="submit">
            Sign in
          </button>
        </div>
      </div>
    </form>
    <form class="card card-md" method="post" action={signInPage}>
      <div class="card-body">
        <h2 class="text-center mb-4">Sign in with a token</h2>
        <input type="hidden" name="next" value={next} />
        <label class="form-label" for="token">
          API token
        </label>
        <input
          class="form-control"
          id="token"
          name="token"
          type="password"
          autocomplete="off"
          required
          aria-describedby="token-hint"
        />
        <small class="form-hint mt-1" id="token-hint">
          “netbox-pbs start” prints a token, or the name of its file. “netbox-pbs token create” makes another.
        </small>
        <div class="form-footer">
          <button class="btn w-100" type="submit">
            Sign in with this token
          </button>
        </div>
      </div>
    </form>
  </>
)

/** The button that uses a one-time link. */
const SignInByLink = ({ link }: { link: string }) => (
  <>
    <h1 class="text-center mb-4">netbox-pbs</h1>
    <form class="card card-md" method="post" action={`${signInPage}${link}/`}>
      <div class="card-body">
        <h2 class="text-center mb-4">Sign in</h2>
        <p class="text-secondary">This link signs one browser in, once.</p>
        <div class="form-footer">
          <button class="btn btn-primary w-100" type="submit" autofocus>
            Sign in with this link
          </button>
        </div>
      </div>
    </form>
  </>
)
