import type { FieldErrors } from '@netbox-pbs/core'
import { Effect } from 'effect'
import { Hono } from 'hono'
import type { ApiEnv } from '../http/caller.ts'
import { createRows } from '../inventory/create-rows.ts'
import type { Form } from './form.ts'
import { html, seeOther } from './html.ts'
import { addServerPage, listPage, rowPage } from './paths.ts'
import type { ServePage } from './serve-page.tsx'
import { Layout } from './view/layout.tsx'
import { PageTitle } from './view/page-title.tsx'
import { emptyServer, ServerForm } from './view/server-form.tsx'
import type { Viewer } from './view/viewer.ts'
import { forWriter, forWriterForm } from './visitor-page.ts'

/** The form that adds a server: row, endpoint and secret in one step. */
export const serverPages = (serve: ServePage): Hono<ApiEnv> =>
  new Hono<ApiEnv>().get('/servers/add/', (c) => serve(c, empty(c))).post('/servers/add/', (c) => serve(c, add(c)))

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
  return createRows('server', [body], { actor: { user: viewer.username, requestId } }).pipe(
    Effect.map((created) =>
      created._tag === 'created'
        ? seeOther(created.ids[0] === undefined ? listPage('server') : rowPage('server', created.ids[0]))
        : draw(viewer, values, created.errors[0]?.errors ?? {}, 400),
    ),
    Effect.catchTag('Refused', ({ status, body: refusal }) =>
      Effect.succeed(draw(viewer, values, { __all__: [sentence(refusal)] }, status)),
    ),
  )
})

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
