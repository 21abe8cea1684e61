import { Effect, Option } from 'effect'
import type { ApiContext } from '../rest/caller.ts'
import { signInPage } from '../rest/page-paths.ts'
import type { Viewer } from './components/viewer.ts'
import { foreignForm, readOnly } from './error-pages.tsx'
import { type Form, html, type Page, seeOther, withForm } from './serve-page.tsx'
import { isOwnForm, visitorOf } from './session.ts'

/** A page for signed-in visitors; others are sent to sign in first, and then back. */
export const forVisitor =
  (page: (viewer: Viewer) => Page) =>
  (c: ApiContext): Page =>
    Effect.flatMap(visitorOf(c), Option.match({ onNone: () => Effect.succeed(signInFirst(c)), onSome: page }))

/** A page for signed-in visitors who may write. */
export const forWriter = (page: (viewer: Viewer) => Page) => (c: ApiContext) =>
  forVisitor((viewer) => (viewer.writes ? page(viewer) : Effect.succeed(html(readOnly(viewer, c.req.path), 403))))(c)

/** A form that a signed-in visitor sent from a page of ours. */
export const forForm = (handle: (viewer: Viewer, form: Form, requestId: string) => Page) => (c: ApiContext) =>
  forVisitor((viewer) =>
    withForm(c, (form) =>
      isOwnForm(c, viewer, form)
        ? handle(viewer, form, c.get('requestId'))
        : Effect.succeed(html(foreignForm(viewer, c.req.path), 403)),
    ),
  )(c)

/** A form that changes something, so that its sender must be allowed to write. */
export const forWriterForm = (handle: (viewer: Viewer, form: Form, requestId: string) => Page) => (c: ApiContext) =>
  forForm((viewer, form, requestId) =>
    viewer.writes ? handle(viewer, form, requestId) : Effect.succeed(html(readOnly(viewer, c.req.path), 403)),
  )(c)

function signInFirst(c: ApiContext): Response {
  // A part of a page cannot show the sign-in; the whole page is loaded again and finds the way there.
  if (c.req.header('hx-request') === 'true')
    return new Response(null, { status: 204, headers: { 'HX-Refresh': 'true' } })
  const { path, url } = c.req
  return seeOther(`${signInPage}?${new URLSearchParams({ next: `${path}${new URL(url).search}` })}`)
}
