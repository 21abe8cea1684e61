import type { FieldErrors } from '@netbox-pbs/core'
import type { EndpointTest } from '@netbox-pbs/core/ports'
import type { ServerNotUsable } from '@netbox-pbs/sync'
import { Effect, Option, Redacted } from 'effect'
import { Hono } from 'hono'
import { createRows } from '../../inventory/create-rows.ts'
import { findById } from '../../inventory/find-row.ts'
import { updateRow } from '../../inventory/update-row.ts'
import type { ApiContext, ApiEnv } from '../../rest/caller.ts'
import { addServerPage, listPage, rowPage } from '../../rest/page-paths.ts'
import { rowId } from '../../rest/row.ts'
import { Alert, Message } from '../components/alert.tsx'
import { Layout, PageTitle } from '../components/layout.tsx'
import type { Viewer } from '../components/viewer.ts'
import { notFound } from '../error-pages.tsx'
import { keepSecret, openKept } from '../kept-secret.ts'
import { type Form, html, type ServePage, seeOther } from '../serve-page.tsx'
import { forWriter, forWriterForm } from '../visitor-page.ts'
import {
  Commands,
  emptyServer,
  inventoryOnly,
  pinIntent,
  ServerForm,
  type ServerFormProps,
  untested,
} from './server-form.tsx'

/**
 * The forms of servers: one adds a server with row, endpoint and secret in one step. The other makes
 * the certificate that a reader has checked the pinned one.
 */
export const serverPages = (serve: ServePage): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .get('/servers/add/', (c) => serve(c, empty(c)))
    .post('/servers/add/', (c) => serve(c, add(c)))
    .post('/servers/:id{[0-9]+}/pin/', (c) => serve(c, pin(c, rowId(c.req.param('id')))))

const empty = forWriter((viewer) => Effect.succeed(draw(viewer, { values: emptyServer, errors: {} })))

const add = forWriterForm((viewer, form, requestId) =>
  Effect.gen(function* () {
    const { form_token: _, token_secret: typed = '', kept_secret = '', intent = '', ...columns } = form
    const kept = typed === '' && kept_secret !== '' ? yield* openKept(kept_secret, viewer) : Option.none()
    const secret = Option.match(kept, { onNone: () => typed, onSome: Redacted.value })
    const values: Form = {
      ...columns,
      verify_ssl: columns['verify_ssl'] ?? 'false',
      ...(intent.startsWith(pinIntent) ? { fingerprint: intent.slice(pinIntent.length) } : {}),
    }
    // An error keeps the typed texts; the secret is sent back sealed.
    const again = (errors: FieldErrors, status: number, failure: ServerNotUsable | null = null) =>
      Effect.gen(function* () {
        const sealed = secret === '' ? null : yield* keepSecret(Redacted.make(secret), viewer)
        return draw(viewer, { values, errors: texts(errors), kept: sealed, failure }, status)
      })
    if (secret === '' && intent !== inventoryOnly) {
      const lost = kept_secret === '' ? '' : 'The secret was kept for a quarter of an hour only. '
      return yield* again(
        { token_secret: [`${lost}Enter the secret of the token, or add the server as inventory only.`] },
        400,
      )
    }
    const body = {
      ...values,
      // A blank number is none: the settings apply to the server.
      sync_interval_minutes: columns['sync_interval_minutes'] || null,
      ...(secret === '' ? {} : { token_secret: secret, untested: intent === untested }),
    }
    const actor = { user: viewer.username, requestId }
    return yield* createRows('server', [body], { actor, branch: null }).pipe(
      Effect.flatMap((created) => {
        if (created._tag === 'rejected') return again(created.errors[0]?.errors ?? {}, 400)
        const page = created.ids[0] === undefined ? listPage('server') : rowPage('server', created.ids[0])
        const { test } = created
        return Effect.succeed(
          test === null || test.missing_privileges.length === 0
            ? seeOther(page)
            : added(viewer, values['name'] ?? '', page, test),
        )
      }),
      Effect.catchTags({
        ServerNotUsable: (failure) => again({ [failure.field]: [failure.error] }, 400, failure),
        HttpError: ({ status, body: rejection }) => again({ __all__: [sentence(rejection)] }, status),
        BranchNotOpen: ({ message }) => again({ __all__: [`${message}.`] }, 409),
        // The form writes main.
        BranchOfRun: Effect.die,
      }),
    )
  }),
)

/** A server that was added although its token does not see everything, with the commands that mend it. */
const added = (viewer: Viewer, name: string, page: string, test: EndpointTest): Response =>
  html(
    <Layout title="Server added" path={page} viewer={viewer}>
      <PageTitle title={`${name} was added`} crumbs={[{ href: listPage('server'), label: 'Servers' }]} />
      <Alert kind="warning">
        <div class="w-100">
          <p>
            Its token lacks {test.missing_privileges.join(', ')}. The rows that these show stay hidden. To grant them,
            run on the server:
          </p>
          <Commands commands={test.acl_commands} />
        </div>
      </Alert>
      <a class="btn" href={page}>
        To the server
      </a>
    </Layout>,
  )

const pin = (c: ApiContext, id: number) =>
  forWriterForm((viewer, { fingerprint = '' }, requestId) =>
    Effect.gen(function* () {
      const row = yield* findById('server', id)
      const actor = { user: viewer.username, requestId }
      yield* updateRow('server', { row, input: { fingerprint }, mode: 'partial', actor, branch: null })
      return seeOther(rowPage('server', id))
    }).pipe(
      Effect.catchTags({
        HttpError: () =>
          Effect.succeed(html(notFound(viewer, rowPage('server', id), `Server ${id}`, listPage('server')), 404)),
        ValidationFailed: ({ errors }) => Effect.succeed(notPinned(viewer, id, Object.values(errors).flat().join(' '))),
        BranchNotOpen: ({ message }) => Effect.succeed(notPinned(viewer, id, message)),
        ServerGone: ({ message }) => Effect.succeed(notPinned(viewer, id, message)),
        BranchOfRun: ({ message }) => Effect.succeed(notPinned(viewer, id, message)),
        VersionChanged: ({ message }) => Effect.succeed(notPinned(viewer, id, message)),
        ServerNotFound: ({ message }) => Effect.succeed(notPinned(viewer, id, message)),
        ServerPending: ({ message }) => Effect.succeed(notPinned(viewer, id, message)),
        EndpointRejected: ({ message }) => Effect.succeed(notPinned(viewer, id, message)),
        GatewayUnavailable: ({ message }) => Effect.succeed(notPinned(viewer, id, message)),
        // A pin comes without a secret, so that nothing is tried before.
        ServerNotUsable: Effect.die,
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

const draw = (viewer: Viewer, form: Omit<ServerFormProps, 'formToken'>, status = 200): Response =>
  html(
    <Layout title="Add a server" path={addServerPage} viewer={viewer}>
      <PageTitle title="Add a server" crumbs={[{ href: listPage('server'), label: 'Servers' }]} />
      <ServerForm formToken={viewer.formToken} {...form} />
    </Layout>,
    status,
  )

const texts = (errors: FieldErrors): Readonly<Record<string, ReadonlyArray<string>>> =>
  Object.fromEntries(Object.entries(errors).map(([field, words]) => [field, [words].flat().map(String)]))

const sentence = (rejection: object): string =>
  'detail' in rejection ? String(rejection.detail) : 'The server could not be added.'
