import { type ModelName, registry } from '@netbox-pbs/core'
import { Branches, HeldDeletionsStore, InventoryLists, Runs, Workers } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { Hono } from 'hono'
import type { ApiEnv } from '../../rest/caller.ts'
import { addServerPage, branchesPage, heldPage, home, listPage } from '../../rest/page-paths.ts'
import { workerNotice } from '../../runs/worker-notice.ts'
import { Alert } from '../components/alert.tsx'
import { formatCount } from '../components/format.ts'
import { Layout, PageTitle } from '../components/layout.tsx'
import { SyncButton } from '../components/sync-button.tsx'
import { RunTable } from '../runs/run-table.tsx'
import { html, type ServePage } from '../serve-page.tsx'
import { forVisitor } from '../visitor-page.ts'
import { changedCertificates } from './changed-certificates.tsx'
import { failures } from './failures.tsx'

const counted = ['server', 'datastore', 'group', 'snapshot', 'job'] as const satisfies ReadonlyArray<ModelName>

/** The first page: the size of the inventory, and the results of the last runs. */
export const homePage = (serve: ServePage): Hono<ApiEnv> => new Hono<ApiEnv>().get('/', (c) => serve(c, overview(c)))

const overview = forVisitor(
  (viewer) =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const counts = yield* Effect.forEach(counted, countOf)
      const banner = yield* changedCertificates
      const failing = yield* failures
      const recent = yield* runs.list({ limit: 5, offset: 0 })
      const waiting = yield* (yield* HeldDeletionsStore).waiting()
      const inReview = viewer.servers === null ? yield* branchesInReview : 0
      const notice = workerNotice(yield* (yield* Workers).state())
      const noServers = counts.some(({ model, count }) => model.name === 'server' && count === 0)
      return html(
        <Layout title="Overview" path={home} viewer={viewer}>
          <PageTitle title="Overview">
            {viewer.writes ? (
              <a class={noServers ? 'btn btn-primary' : 'btn'} href={addServerPage}>
                Add a server
              </a>
            ) : null}
            {viewer.operates && !noServers ? <SyncButton formToken={viewer.formToken} /> : null}
          </PageTitle>
          {notice === null ? null : <Alert kind="danger">{notice}.</Alert>}
          {waiting === 0 ? null : (
            <Alert kind="warning">
              <a class="alert-link" href={heldPage}>
                {waiting === 1 ? '1 deletion waits' : `${formatCount(waiting)} deletions wait`} for you
              </a>
            </Alert>
          )}
          {inReview === 0 ? null : (
            <Alert kind="warning">
              <a class="alert-link" href={`${branchesPage}?status=in_review`}>
                {inReview === 1 ? '1 branch waits' : `${formatCount(inReview)} branches wait`} for answers to conflicts
              </a>
            </Alert>
          )}
          {banner}
          {failing}
          <div class="row row-cards mb-3">
            {counts.map(({ model, count }) => (
              <div class="col-6 col-md">
                <a class="card card-sm card-link text-reset" href={listPage(model.name)}>
                  <div class="card-body">
                    <div class="h2 mb-0">{formatCount(count)}</div>
                    <div class="text-secondary">{count === 1 ? model.label : model.labelPlural}</div>
                  </div>
                </a>
              </div>
            ))}
          </div>
          <section class="card">
            <div class="card-header">
              <h2 class="card-title">Last runs</h2>
            </div>
            <RunTable
              runs={recent.rows}
              empty={
                noServers
                  ? 'No server to sync yet. Add one first; an API token that may only read is enough.'
                  : 'No run yet. “Sync now” starts one.'
              }
            />
          </section>
        </Layout>,
      )
    }),
  'by server',
)

const branchesInReview = Effect.flatMap(Branches, (branches) =>
  Effect.map(branches.list({ statuses: ['in_review'], limit: 1, offset: 0 }), ({ count }) => count ?? 0),
)

const countOf = (model: (typeof counted)[number]) =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    const page = { _tag: 'offset', limit: 1, offset: 0 } as const
    const { count } = yield* lists.list({ model, filters: [], search: null, order: [], page })
    return { model: registry[model], count: count ?? 0 }
  })
