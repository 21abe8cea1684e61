import { runAllows } from '@netbox-pbs/core'
import { Branches, HeldDeletionsStore, Runs } from '@netbox-pbs/core/ports'
import { cancelRun, startRun } from '@netbox-pbs/sync'
import { Effect, Option } from 'effect'
import { Hono } from 'hono'
import { sampleRows } from '../../records/held-deletions.ts'
import { runFilter } from '../../records/run.ts'
import type { ApiContext, ApiEnv } from '../../rest/caller.ts'
import { offsetPage } from '../../rest/envelope.ts'
import { runPage, runsPage } from '../../rest/page-paths.ts'
import { rowId } from '../../rest/row.ts'
import { cancelOthers, mayCancel } from '../../runs/cancel-right.ts'
import { readRunRequest } from '../../runs/run-request.ts'
import { waitsForWorkerSince } from '../../runs/worker-notice.ts'
import { Alert, IgnoredParameters, WrongParameters } from '../components/alert.tsx'
import { isUnderWay } from '../components/badge.tsx'
import { Layout, PageTitle } from '../components/layout.tsx'
import { Pager } from '../components/pager.tsx'
import { CancelButton, SyncButton } from '../components/sync-button.tsx'
import type { Viewer } from '../components/viewer.ts'
import { notFound } from '../error-pages.tsx'
import { html, type ServePage, seeOther } from '../serve-page.tsx'
import { forOperatorForm, forVisitor } from '../visitor-page.ts'
import { RunDetail } from './run-detail.tsx'
import { RunTable } from './run-table.tsx'

/** Held deletions that a run's page shows; the list of waiting ones has the rest. */
const shownHeld = 20

/** Branches that a run's page names: its own, and the open ones of earlier runs that it has staged into. */
const shownBranches = 10

/** The runs: their list, one run during and after it, and the forms that start and cancel one. */
export const runPages = (serve: ServePage): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .get('/sync-runs/', (c) => serve(c, list(c)))
    .post('/sync-runs/', (c) => serve(c, start(c)))
    .get('/sync-runs/:id{[0-9]+}/', (c) => serve(c, detail(c, rowId(c.req.param('id')))))
    .post('/sync-runs/:id{[0-9]+}/cancel/', (c) => serve(c, cancel(rowId(c.req.param('id')))(c)))

/** Jobs that a run's page looks through for those that failed, which come first; REST lists all. */
const shownJobs = 50

const list = (c: ApiContext) =>
  forVisitor((viewer) => drawList(viewer, new URL(c.req.url).searchParams), 'by server')(c)

const drawList = (viewer: Viewer, parameters: URLSearchParams, problem: string | null = null) =>
  Effect.gen(function* () {
    const runs = yield* Runs
    const { limit, offset } = offsetPage(parameters)
    const {
      count: counted,
      rows,
      ignored,
      wrong,
    } = yield* runFilter.read(parameters).pipe(
      Effect.flatMap(({ filter, ignored }) =>
        Effect.map(runs.list({ ...filter, limit, offset }), (page) => ({ ...page, ignored, wrong: null })),
      ),
      Effect.catchTag('HttpError', ({ body }) => Effect.succeed({ count: 0, rows: [], ignored: [], wrong: body })),
    )
    const count = counted ?? 0
    return html(
      <Layout title="Sync runs" path={runsPage} viewer={viewer} refresh={rows.some(isUnderWay)}>
        <PageTitle title="Sync runs">{viewer.operates ? <SyncButton formToken={viewer.formToken} /> : null}</PageTitle>
        {problem === null ? null : <Alert kind="danger">{problem}</Alert>}
        {wrong === null ? null : <WrongParameters body={wrong} />}
        <IgnoredParameters names={ignored} />
        <div class="card">
          <RunTable
            runs={rows}
            empty={emptyText(
              count,
              [...parameters.keys()].some((name) => name !== 'limit' && name !== 'offset'),
            )}
          />
          <Pager path={runsPage} parameters={parameters} count={count} limit={limit} offset={offset} />
        </div>
      </Layout>,
      problem === null && wrong === null ? 200 : 400,
    )
  })

function emptyText(count: number, filtered: boolean): string {
  if (count > 0) return 'The list ends before this page.'
  return filtered ? 'No run matches.' : 'No run yet. “Sync now” starts one.'
}

const detail = (c: ApiContext, id: number) =>
  forVisitor(
    (viewer) =>
      Effect.gen(function* () {
        const runs = yield* Runs
        const found = Number.isSafeInteger(id) ? yield* runs.get({ id }) : Option.none()
        if (Option.isNone(found)) return html(notFound(viewer, runsPage, `Run ${id}`, runsPage), 404)
        const run = found.value
        const path = runPage(id)
        const parameters = new URL(c.req.url).searchParams
        const { limit, offset } = offsetPage(parameters)
        const scopes = yield* runs.scopes({ id, limit, offset })
        const warnings = yield* runs.warnings({ id })
        const jobs = yield* runs.jobs({ id, limit: shownJobs, offset: 0 })
        const branches = viewer.servers === null ? yield* branchesOf(id) : []
        const held = yield* (yield* HeldDeletionsStore).list({ runId: id, limit: shownHeld, offset: 0 })
        const waits = yield* waitsForWorkerSince(run)
        const sets = yield* Effect.forEach(held.rows, sampleRows)
        return html(
          <Layout title={`Run ${id}`} path={path} viewer={viewer} refresh={isUnderWay(run)}>
            <PageTitle title={`Run ${id}`} crumbs={[{ href: runsPage, label: 'Sync runs' }]}>
              <div id="run-actions">
                {viewer.operates && runAllows(run, 'cancel') && mayCancel(run, viewer) ? (
                  <CancelButton formToken={viewer.formToken} run={run} />
                ) : null}
              </div>
            </PageTitle>
            {waits === null ? null : (
              <Alert kind="danger">
                This run waits for a worker since {waits}: none is running. Start one (start:worker).
              </Alert>
            )}
            <RunDetail
              run={run}
              branches={branches}
              scopes={scopes.rows}
              warnings={warnings}
              jobs={jobs.rows.filter(({ state }) => state === 'failed' || state === 'retrying')}
              held={{ sets, count: held.count ?? 0, viewer }}
              pager={{ path, parameters, count: scopes.count, limit, offset }}
            />
          </Layout>,
        )
      }),
    'by server',
  )(c)

const branchesOf = (run: number) =>
  Effect.gen(function* () {
    const branches = yield* Branches
    return (yield* branches.list({ stagedBy: run, limit: shownBranches, offset: 0 })).rows
  })

const start = forOperatorForm(
  (viewer, { server }) =>
    Effect.gen(function* () {
      const request = yield* readRunRequest(server === undefined ? {} : { servers: [server] })
      const run = yield* startRun({ ...request, trigger: 'manual', user: viewer.username })
      return seeOther(runPage(run.id))
    }).pipe(
      Effect.catchTags({
        HttpError: () =>
          drawList(
            viewer,
            new URLSearchParams(),
            `There is no server ${server === undefined ? '' : `${server} `}to sync.`,
          ),
        RunNotStarted: ({ message }) => drawList(viewer, new URLSearchParams(), message),
      }),
    ),
  'by server',
)

/** Cancels a run. A run that has already ended does not change, and its page shows how it ended. */
const cancel = (id: number) =>
  forOperatorForm(
    (viewer) =>
      Effect.gen(function* () {
        const run = Number.isSafeInteger(id) ? yield* (yield* Runs).get({ id }) : Option.none()
        if (Option.isNone(run)) return html(notFound(viewer, runsPage, `Run ${id}`, runsPage), 404)
        if (!mayCancel(run.value, viewer)) return yield* drawList(viewer, new URLSearchParams(), cancelOthers)
        yield* cancelRun({ id })
        return seeOther(runPage(id))
      }),
    'by server',
  )
