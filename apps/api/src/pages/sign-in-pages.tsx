import { Effect, Option } from 'effect'
import { Hono } from 'hono'
import type { ApiContext, ApiEnv } from '../http/caller.ts'
import type { Run } from '../http/run.ts'
import { authenticate } from '../http/token-auth.ts'
import { html } from './html.ts'
import { forForm } from './page.ts'
import { isOwnOrigin, redeemLink, signIn, signOut } from './session.ts'
import { Layout } from './view/layout.tsx'
import { SignInView } from './view/sign-in-view.tsx'

const home = '/plugins/pbs/'

/** Signing in by a pasted token or a one-time link, and out. */
export function signInPages(run: Run): Hono<ApiEnv> {
  return new Hono<ApiEnv>()
    .get('/login/', (c) => view(ownPath(c.req.query('next')), null))
    .get('/login/:link{[A-Za-z0-9_-]{20,}}/', (c) => run(c, byLink(c, c.req.param('link'))))
    .post('/login/', (c) => run(c, byToken(c)))
    .post('/logout/', (c) => run(c, out(c)))
}

const view = (next: string, error: string | null, status = 200): Response =>
  html(
    <Layout title="Sign in" path="/plugins/pbs/login/" viewer={null}>
      <SignInView next={next} error={error} />
    </Layout>,
    status,
  )

/** Only a path of our own pages: a sign-in never sends anybody elsewhere. */
function ownPath(next: unknown): string {
  if (typeof next !== 'string' || !next.startsWith(home)) return home
  const url = new URL(next, 'http://pages.invalid')
  return url.host === 'pages.invalid' && url.pathname.startsWith(home) ? `${url.pathname}${url.search}` : home
}

const byToken = (c: ApiContext) =>
  Effect.gen(function* () {
    const form = yield* Effect.promise(() => c.req.parseBody())
    const next = ownPath(form['next'])
    if (!isOwnOrigin(c)) return view(next, 'This form was not sent from this page. Load it again and retry.', 403)
    const token = typeof form['token'] === 'string' ? form['token'].trim() : ''
    const verified = yield* authenticate(`Bearer ${token}`).pipe(Effect.catchTag('Refused', () => Effect.succeed(null)))
    if (verified === null) return view(next, 'This token is unknown, disabled or expired.', 403)
    yield* signIn(c, { id: verified.id, writes: verified.write_enabled })
    return c.redirect(next, 303)
  })

const byLink = (c: ApiContext, link: string) =>
  Effect.gen(function* () {
    const user = yield* redeemLink(link)
    if (Option.isNone(user)) return view(home, 'This link was used before or has expired. Sign in with a token.', 403)
    yield* signIn(c, { id: user.value.id, writes: true })
    return c.redirect(home, 303)
  })

const out = (c: ApiContext) =>
  forForm(() =>
    Effect.gen(function* () {
      yield* signOut(c)
      return c.redirect('/plugins/pbs/login/', 303)
    }),
  )(c)
