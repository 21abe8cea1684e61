import type { FieldErrors } from '@netbox-pbs/core'
import { Effect } from 'effect'
import { Hono } from 'hono'
import type { ApiContext, ApiEnv } from '../http/caller.ts'
import { createRows } from '../inventory/create-rows.ts'
import { findById } from '../inventory/find-row.ts'
import { updateRow } from '../inventory/update-row.ts'
import type { Form } from './form.ts'
import { html, seeOther } from './html.ts'
import { addServerPage, listPage, rowPage } from './paths.ts'
import { notFound } from './refusals.tsx'
import type { ServePage } from './serve-page.tsx'
import { Layout } from './view/layout.tsx'
import { Message } from './view/message.tsx'
import { PageTitle } from './view/page-title.tsx'
import { emptyServer, ServerForm } from './view/server-form.tsx'
import type { Viewer } from './view/viewer.ts'
import { forWriter, forWriterForm } from './visitor-page.ts'

/** The forms of servers: one adds a server, row, endpoint and secret in one step; one pins the certificate that a reader has seen. */
export const serverPages = (serve: ServePage): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .get('/servers/add/', (c) => serve(c, empty(c)))
    .post('/servers/add/', (c) => serve(c, add(c)))
    .post('/servers/:id{[0-9]+}/pin/', (c) => serve(c, pin(c, Number(c.req.param('id')))))

const empty = forWriter((viewer) => Effect.succeed(draw(viewer, emptyServer, {})))

const add = forWriterForm((viewer, { form_token: _, token_secret = '', ...typed }, requestId) => {
  const values = { ...typed, verify_ssl: typed['verify_ssl'] ?? 'false' }
  const body = {
    ...values,
    // A blank number is none: the server goes by the settings.
    sync_interval_minutes: typed['sync_interval_minutes'] || null,
    // A blank secret is none: the server becomes inventory only, as it does over REST without one.
    ...(token_secret === '' ? {} : { token_secret }),
  }
  return createRows('server', [body], { actor: { user: viewer.username, requestId }, branch: null }).pipe(
    Effect.map((created) =>
      created._tag === 'created'
        ? seeOther(created.ids[0] === undefined ? listPage('server') : rowPage('server', created.ids[0]))
        : draw(viewer, values, created.errors[0]?.errors ?? {}, 400),
    ),
    Effect.catchTag('Refused', ({ status, body: refusal }) =>
      Effect.succeed(draw(viewer, values, { __all__: [sentence(refusal)] }, status)),
    ),
    Effect.catchTag('BranchNotOpen', ({ message }) =>
      Effect.succeed(draw(viewer, values, { __all__: [`${message}.`] }, 409)),
    ),
    // The form writes main, and no row below a server.
    Effect.catchTags({ BranchOfRun: Effect.die, ServerGone: Effect.die }),
  )
})

const pin = (c: ApiContext, id: number) =>
  forWriterForm((viewer, { fingerprint = '' }, requestId) =>
    Effect.gen(function* () {
      const row = yield* findById('server', id)
      const actor = { user: viewer.username, requestId }
      yield* updateRow('server', { row, input: { fingerprint }, mode: 'partial', actor, branch: null })
      return seeOther(rowPage('server', id))
    }).pipe(
      Effect.catchTags({
        Refused: () =>
          Effect.succeed(html(notFound(viewer, rowPage('server', id), `Server ${id}`, listPage('server')), 404)),
        FieldsRefused: ({ errors }) => Effect.succeed(notPinned(viewer, id, Object.values(errors).flat().join(' '))),
        BranchNotOpen: ({ message }) => Effect.succeed(notPinned(viewer, id, message)),
        ServerGone: ({ message }) => Effect.succeed(notPinned(viewer, id, message)),
        BranchOfRun: ({ message }) => Effect.succeed(notPinned(viewer, id, message)),
        VersionChanged: ({ message }) => Effect.succeed(notPinned(viewer, id, message)),
        ServerNotFound: ({ message }) => Effect.succeed(notPinned(viewer, id, message)),
        ServerPending: ({ message }) => Effect.succeed(notPinned(viewer, id, message)),
        EndpointRefused: ({ message }) => Effect.succeed(notPinned(viewer, id, message)),
        GatewayUnavailable: ({ message }) => Effect.succeed(notPinned(viewer, id, message)),
      }),
    ),
  )(c)

const notPinned = (viewer: Viewer, id: number, why: string): Response =>
  html(
    <Layout title="Not accepted" path={rowPage('server', id)} viewer={viewer}>
      <Message
        title="The certificate was not accepted"
        action={{ href: rowPage('server', id), label: 'Back to the server' }}
      >
        {why}
      </Message>
    </Layout>,
    400,
  )

const draw = (viewer: Viewer, values: Form, errors: FieldErrors, status = 200): Response =>
  html(
    <Layout title="Add a server" path={addServerPage} viewer={viewer}>
      <PageTitle title="Add a server" crumbs={[{ href: listPage('server'), label: 'Servers' }]} />
      <ServerForm formToken={viewer.formToken} values={values} errors={texts(errors)} />
    </Layout>,
    status,
  )

const texts = (errors: FieldErrors): Readonly<Record<string, ReadonlyArray<string>>> =>
  Object.fromEntries(Object.entries(errors).map(([field, words]) => [field, [words].flat().map(String)]))

const sentence = (refusal: object): string =>
  'detail' in refusal ? String(refusal.detail) : 'The server could not be added.'
