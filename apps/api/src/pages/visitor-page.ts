import { visibleServers } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import type { ApiContext } from '../rest/caller.ts'
import { signInPage } from '../rest/page-paths.ts'
import type { Viewer } from './components/viewer.ts'
import { foreignForm, notForSomeServers, readOnly } from './error-pages.tsx'
import { menuBadges } from './menu-badges.ts'
import { type Form, html, type Page, seeOther, withForm } from './serve-page.tsx'
import { isOwnForm, visitorOf } from './session.ts'

/**
 * `by server`: what a page shows and does is limited to the servers that its viewer sees. A page
 * that is about all servers is refused to viewers who do not see all of them.
 */
type Reach = 'by server' | 'all servers'

/** A page for signed-in visitors; others are sent to sign in first, and then back. */
export const forVisitor =
  (page: (viewer: Viewer) => Page, reach: Reach = 'all servers') =>
  (c: ApiContext): Page =>
    Effect.flatMap(
      visitorOf(c),
      Option.match({
        onNone: () => Effect.succeed(signInFirst(c)),
        onSome: (viewer) =>
          viewer.servers !== null && reach === 'all servers'
            ? Effect.succeed(html(notForSomeServers(viewer, c.req.path), 403))
            : Effect.locally(withBadges(c, viewer, page), visibleServers, viewer.servers),
      }),
    )

/** The menu is drawn with pages as a whole, and not with the answers to forms, which lead to one as a rule. */
const withBadges = (c: ApiContext, viewer: Viewer, page: (viewer: Viewer) => Page): Page =>
  c.req.method === 'GET' && c.req.header('hx-request') !== 'true'
    ? Effect.flatMap(menuBadges(viewer), (badges) => page({ ...viewer, badges }))
    : page(viewer)

/** A page for signed-in visitors who may write everything. */
export const forWriter = (page: (viewer: Viewer) => Page) => pageFor('writes', page)

/** A page for signed-in visitors who may do an operator's work. */
export const forOperator = (page: (viewer: Viewer) => Page) => pageFor('operates', page)

const pageFor = (right: 'writes' | 'operates', page: (viewer: Viewer) => Page) => (c: ApiContext) =>
  forVisitor((viewer) => (viewer[right] ? page(viewer) : Effect.succeed(html(readOnly(viewer, c.req.path), 403))))(c)

type HandleForm = (viewer: Viewer, form: Form, requestId: string) => Page

/** A form that a signed-in visitor sent from a page of ours. */
export const forForm =
  (handle: HandleForm, reach: Reach = 'all servers') =>
  (c: ApiContext) =>
    forVisitor(
      (viewer) =>
        withForm(c, (form) =>
          isOwnForm(c, viewer, form)
            ? handle(viewer, form, c.get('requestId'))
            : Effect.succeed(html(foreignForm(viewer, c.req.path), 403)),
        ),
      reach,
    )(c)

/** A form that changes something, so that its sender must be allowed to write everything. */
export const forWriterForm = (handle: HandleForm) => formFor('writes', handle)

/** A form of an operator's work. */
export const forOperatorForm = (handle: HandleForm, reach: Reach = 'all servers') => formFor('operates', handle, reach)

const formFor =
  (right: 'writes' | 'operates', handle: HandleForm, reach: Reach = 'all servers') =>
  (c: ApiContext) =>
    forForm(
      (viewer, form, requestId) =>
        viewer[right] ? handle(viewer, form, requestId) : Effect.succeed(html(readOnly(viewer, c.req.path), 403)),
      reach,
    )(c)

function signInFirst(c: ApiContext): Response {
  // A part of a page cannot show the sign-in; the whole page is loaded again and finds the way there.
  if (c.req.header('hx-request') === 'true')
    return new Response(null, { status: 204, headers: { 'HX-Refresh': 'true' } })
  const { path, url } = c.req
  return seeOther(`${signInPage}?${new URLSearchParams({ next: `${path}${new URL(url).search}` })}`)
}
