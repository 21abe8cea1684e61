import { type ModelName, registry } from '@netbox-pbs/core'
import { InventoryLists, Runs } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { Hono } from 'hono'
import type { ApiEnv } from '../http/caller.ts'
import type { Run } from '../http/run.ts'
import { html } from './html.ts'
import { forVisitor } from './page.ts'
import { formatCount } from './view/format.ts'
import { Layout, PageTitle } from './view/layout.tsx'
import { RunTable, SyncButton } from './view/run-view.tsx'

const counted = ['server', 'datastore', 'group', 'snapshot', 'job'] as const satisfies ReadonlyArray<ModelName>

/** The first page: how much there is, and what the last runs did. */
export function homePage(run: Run): Hono<ApiEnv> {
  return new Hono<ApiEnv>().get('/', (c) => run(c, home(c)))
}

const countOf = (model: (typeof counted)[number]) =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    const { count } = yield* lists.list({ model, filters: [], search: null, order: [], page: { _tag: 'offset', limit: 1, offset: 0 } })
    return { model: registry[model], count: count ?? 0 }
  })

const home = forVisitor(({ viewer }) =>
  Effect.gen(function* () {
    const runs = yield* Runs
    const [counts, recent] = yield* Effect.all([Effect.forEach(counted, countOf), runs.list({ limit: 5, offset: 0 })])
    const noServers = counts.some(({ model, count }) => model.name === 'server' && count === 0)
    return html(
      <Layout title="Overview" path="/plugins/pbs/" viewer={viewer}>
        <PageTitle title="Overview">
          {viewer.writes ? (
            <>
              <a class={noServers ? 'btn btn-primary' : 'btn'} href="/plugins/pbs/servers/add/">
                Add a server
              </a>
              {noServers ? null : <SyncButton formToken={viewer.formToken} />}
            </>
          ) : null}
        </PageTitle>
        <div class="row row-cards mb-3">
          {counts.map(({ model, count }) => (
            <div class="col-6 col-md">
              <a class="card card-sm card-link" href={`/plugins/pbs/${model.path}/`}>
                <div class="card-body">
                  <div class="h2 mb-0">{formatCount(count)}</div>
                  <div class="text-secondary">{count === 1 ? model.label : model.labelPlural}</div>
                </div>
              </a>
            </div>
          ))}
        </div>
        <div class="card">
          <h2 class="card-header card-title">Last runs</h2>
          <RunTable runs={recent.rows} />
        </div>
      </Layout>,
    )
  }),
)
