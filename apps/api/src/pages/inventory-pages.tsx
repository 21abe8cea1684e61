import { type ModelName, modelNames, registry } from '@netbox-pbs/core'
import { InventoryLists } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { Hono } from 'hono'
import type { ApiEnv } from '../http/caller.ts'
import type { Run } from '../http/run.ts'
import { display } from '../inventory/display.ts'
import { html } from './html.ts'
import { forVisitor } from './page.ts'
import { parsePageQuery } from './page-query.ts'
import { DetailView } from './view/detail-view.tsx'
import { Layout, PageTitle } from './view/layout.tsx'
import { ListView } from './view/list-view.tsx'
import { NotFoundView } from './view/not-found-view.tsx'
import { Related } from './view/related.tsx'

/** List and detail of every model, drawn from the registry. */
export function inventoryPages(run: Run): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>()
  for (const name of modelNames) {
    const { path } = registry[name]
    app.get(`/${path}/`, (c) => run(c, listPage(name, new URL(c.req.url).searchParams)(c)))
    app.get(`/${path}/:id{[0-9]+}/`, (c) => run(c, detailPage(name, Number(c.req.param('id')))(c)))
  }
  return app
}

const listPage = (name: ModelName, parameters: URLSearchParams) =>
  forVisitor(({ viewer }) =>
    Effect.gen(function* () {
      const model = registry[name]
      const path = `/plugins/pbs/${model.path}/`
      const query = parsePageQuery(name, parameters)
      const lists = yield* InventoryLists
      const { count, rows } = yield* lists.list(query)
      return html(
        <Layout title={model.labelPlural} path={path} viewer={viewer}>
          <PageTitle title={model.labelPlural}>
            {name === 'server' && viewer.writes ? (
              <a class="btn btn-primary" href="/plugins/pbs/servers/add/">
                Add a server
              </a>
            ) : null}
          </PageTitle>
          <ListView
            model={model}
            rows={rows}
            path={path}
            parameters={parameters}
            count={count ?? rows.length}
            limit={query.page.limit}
            offset={query.page.offset}
            search={query.search ?? ''}
          />
        </Layout>,
      )
    }),
  )

const detailPage = (name: ModelName, id: number) =>
  forVisitor(({ viewer }) =>
    Effect.gen(function* () {
      const model = registry[name]
      const path = `/plugins/pbs/${model.path}/${id}/`
      const lists = yield* InventoryLists
      const found = yield* lists.get({ model: name, id })
      if (Option.isNone(found)) {
        return html(
          <Layout title="Not found" path={path} viewer={viewer}>
            <NotFoundView what={`${model.label} ${id}`} list={`/plugins/pbs/${model.path}/`} />
          </Layout>,
          404,
        )
      }
      const row = found.value
      const title = display(name, row)
      return html(
        <Layout title={title} path={path} viewer={viewer}>
          <PageTitle title={title} above={<a href={`/plugins/pbs/${model.path}/`}>{model.labelPlural}</a>} />
          <DetailView model={model} row={row}>
            <Related name={name} row={row} />
          </DetailView>
        </Layout>,
      )
    }),
  )
