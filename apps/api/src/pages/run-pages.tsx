import { resources } from '@netbox-pbs/core'
import { Runs } from '@netbox-pbs/core/ports'
import { startRun } from '@netbox-pbs/sync'
import { Effect, Option } from 'effect'
import { Hono } from 'hono'
import type { ApiEnv } from '../http/caller.ts'
import type { Run } from '../http/run.ts'
import { html } from './html.ts'
import { forForm, forVisitor } from './page.ts'
import { Layout, PageTitle } from './view/layout.tsx'
import { NotFoundView } from './view/not-found-view.tsx'
import { Pager } from './view/pager.tsx'
import { isUnderWay, RunTable, RunView, SyncButton } from './view/run-view.tsx'

const path = '/plugins/pbs/sync-runs/'
const shownScopes = 200

/** The runs: list, one run while it goes and after, and the button that starts one. */
export function runPages(run: Run): Hono<ApiEnv> {
  return new Hono<ApiEnv>()
    .get('/sync-runs/', (c) => run(c, runList(pageOf(new URL(c.req.url).searchParams))(c)))
    .post('/sync-runs/', (c) => run(c, start(c)))
    .get('/sync-runs/:id{[0-9]+}/', (c) => run(c, runDetail(Number(c.req.param('id')))(c)))
}

function pageOf(parameters: URLSearchParams): { readonly parameters: URLSearchParams; readonly limit: number; readonly offset: number } {
  const whole = (name: string, fallback: number) => {
    const text = parameters.get(name)
    return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : fallback
  }
  return { parameters, limit: Math.min(Math.max(whole('limit', 50), 1), 1000), offset: whole('offset', 0) }
}

const runList = ({ parameters, limit, offset }: ReturnType<typeof pageOf>) =>
  forVisitor(({ viewer }) =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const { count, rows } = yield* runs.list({ limit, offset })
      return html(
        <Layout title="Sync runs" path={path} viewer={viewer} refresh={rows.some(isUnderWay)}>
          <PageTitle title="Sync runs">{viewer.writes ? <SyncButton formToken={viewer.formToken} /> : null}</PageTitle>
          <div class="card">
            <RunTable runs={rows} />
            <Pager path={path} parameters={parameters} count={count} limit={limit} offset={offset} />
          </div>
        </Layout>,
      )
    }),
  )

const runDetail = (id: number) =>
  forVisitor(({ viewer }) =>
    Effect.gen(function* () {
      const runs = yield* Runs
      const found = yield* runs.get({ id })
      if (Option.isNone(found)) {
        return html(
          <Layout title="Not found" path={path} viewer={viewer}>
            <NotFoundView what={`Run ${id}`} list={path} />
          </Layout>,
          404,
        )
      }
      const [scopes, warnings] = yield* Effect.all([runs.scopes({ id, limit: shownScopes, offset: 0 }), runs.warnings({ id })])
      return html(
        <Layout title={`Run ${id}`} path={path} viewer={viewer} refresh={isUnderWay(found.value)}>
          <PageTitle title={`Run ${id}`} above={<a href={path}>Sync runs</a>} />
          <RunView run={found.value} scopes={scopes.rows} warnings={warnings} />
        </Layout>,
      )
    }),
  )

const start = forForm(({ viewer }) =>
  Effect.gen(function* () {
    const run = yield* startRun({ resources, servers: null, trigger: 'manual', user: viewer.username })
    return new Response(null, { status: 303, headers: { Location: `${path}${run.id}/` } })
  }),
)
