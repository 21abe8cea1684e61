import { HeldDeletionsChanged, HeldDeletionsNotFound, HeldDeletionsStore } from '@netbox-pbs/core/ports'
import { confirmHeld, dismissHeld, type HeldDecision } from '@netbox-pbs/sync'
import { Effect } from 'effect'
import { Hono } from 'hono'
import { sampleRows } from '../../records/held-deletions.ts'
import type { ApiContext, ApiEnv } from '../../rest/caller.ts'
import { offsetPage } from '../../rest/envelope.ts'
import { heldPage, runPage } from '../../rest/page-paths.ts'
import { rowId } from '../../rest/row.ts'
import { Alert } from '../components/alert.tsx'
import { sentence } from '../components/format.ts'
import { Layout, PageTitle } from '../components/layout.tsx'
import { Pager } from '../components/pager.tsx'
import type { Viewer } from '../components/viewer.ts'
import { type Form, html, type ServePage, seeOther } from '../serve-page.tsx'
import { forOperatorForm, forVisitor } from '../visitor-page.ts'
import { HeldTable } from './held-table.tsx'

/** The held deletions of all scopes, and the forms to confirm or dismiss them. */
export const heldPages = (serve: ServePage): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .get('/held/', (c) => serve(c, list(c)))
    .post('/held/:id{[0-9]+}/confirm/', (c) => serve(c, confirm(rowId(c.req.param('id')))(c)))
    .post('/held/:id{[0-9]+}/dismiss/', (c) => serve(c, dismiss(rowId(c.req.param('id')))(c)))

const list = (c: ApiContext) => forVisitor((viewer) => draw(viewer, new URL(c.req.url).searchParams), 'by server')(c)

const draw = (viewer: Viewer, parameters: URLSearchParams, problem: { status: number; text: string } | null = null) =>
  Effect.gen(function* () {
    const { limit, offset } = offsetPage(parameters)
    const { count: counted, rows } = yield* (yield* HeldDeletionsStore).list({ runId: null, limit, offset })
    const count = counted ?? 0
    const sets = yield* Effect.forEach(rows, sampleRows)
    return html(
      <Layout title="Held deletions" path={heldPage} viewer={viewer}>
        <PageTitle title="Held deletions" />
        {problem === null ? null : <Alert kind="danger">{problem.text}</Alert>}
        <p class="text-secondary">
          The sources no longer list these rows. They are kept until you decide, because too many are missing or the
          list may be incomplete.
        </p>
        <div class="card">
          <HeldTable sets={sets} viewer={viewer} />
          {count > limit ? <Pager {...{ path: heldPage, parameters, count, limit, offset }} /> : null}
        </div>
      </Layout>,
      problem?.status ?? 200,
    )
  })

const confirm = (id: number) =>
  forOperatorForm(
    (viewer, form, requestId) =>
      decisionError(
        viewer,
        Effect.map(confirmHeld(decisionOf(id, viewer, form, requestId)), (run) => seeOther(runPage(run.id))),
      ),
    'by server',
  )

const dismiss = (id: number) =>
  forOperatorForm(
    (viewer, form, requestId) =>
      decisionError(
        viewer,
        Effect.map(dismissHeld(decisionOf(id, viewer, form, requestId)), () => seeOther(heldPage)),
      ),
    'by server',
  )

/**
 * Every form of ours sends the revision that it shows; a form without one gets revision 0, which no
 * held deletions have.
 */
const decisionOf = (id: number, { username }: Viewer, { revision = '' }: Form, requestId: string): HeldDecision => ({
  id,
  revision: /^\d{1,15}$/.test(revision) ? Number(revision) : 0,
  user: username,
  requestId,
})

/** After a failed decision, shows the current list with the error. */
const decisionError = <A, E, R>(
  viewer: Viewer,
  decided: Effect.Effect<A, E | HeldDeletionsChanged | HeldDeletionsNotFound, R>,
) =>
  Effect.catchIf(
    decided,
    (error): error is HeldDeletionsChanged | HeldDeletionsNotFound =>
      error instanceof HeldDeletionsChanged || error instanceof HeldDeletionsNotFound,
    (error) =>
      draw(viewer, new URLSearchParams(), {
        status: error._tag === 'HeldDeletionsNotFound' ? 404 : 409,
        text: sentence(error.message),
      }),
  )
