import { type ListQuery, type ModelName, registry } from '@netbox-pbs/core'
import { InventoryLists } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { placeOf } from '../rest/branch-place.ts'
import type { ApiContext } from '../rest/caller.ts'
import { addServerPage, listPage } from '../rest/page-paths.ts'
import { anyRow } from '../rest/row.ts'
import { branchBanner, branchView } from './branch-view.tsx'
import { FilterChips } from './components/filter-chips.tsx'
import { Layout } from './components/layout.tsx'
import { ListTable } from './components/list-table.tsx'
import type { PageBranch } from './components/page-branch.ts'
import { PageTitle } from './components/page-title.tsx'
import type { Viewer } from './components/viewer.ts'
import { IgnoredParameters, WrongParameters } from './components/wrong-parameters.tsx'
import { filterChips } from './filters.ts'
import { html } from './html.ts'
import { readPageQuery } from './page-query.ts'
import type { Page } from './serve-page.tsx'
import { forVisitor } from './visitor-page.ts'

/** The list of a model, by the parameters that its REST list takes. */
export const list =
  (model: ModelName) =>
  (c: ApiContext): Page => {
    const parameters = new URL(c.req.url).searchParams
    // Pages are reached by number; a cursor belongs to REST.
    parameters.delete('start')
    return forVisitor((viewer) =>
      branchView(c, { viewer, place: placeOf(model) }, (branch) => draw(viewer, model, parameters, branch)),
    )(c)
  }

const draw = (viewer: Viewer, name: ModelName, parameters: URLSearchParams, branch: PageBranch): Page =>
  Effect.gen(function* () {
    const model = registry[name]
    const path = listPage(name)
    const { request, resolved } = yield* readPageQuery(name, parameters)
    const wrong = resolved._tag === 'rejected' ? resolved.body : null
    return html(
      <Layout title={model.labelPlural} path={path} viewer={viewer} banner={branchBanner(name, branch, path)}>
        <PageTitle title={model.labelPlural}>
          {name === 'server' && viewer.writes && branch === null ? (
            <a class="btn btn-primary" href={addServerPage}>
              Add a server
            </a>
          ) : null}
        </PageTitle>
        {wrong === null ? null : <WrongParameters body={wrong} />}
        <IgnoredParameters names={request.ignored} />
        <FilterChips chips={yield* filterChips(request, parameters)} path={listPage(name, branch)} />
        {resolved._tag === 'query' ? yield* table(resolved.query, parameters, branch) : null}
      </Layout>,
      wrong === null ? 200 : 400,
    )
  })

const table = (query: ListQuery, parameters: URLSearchParams, branch: PageBranch) =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    const { count, rows } = yield* lists.list(query)
    const { limit } = query.page
    return (
      <ListTable
        model={registry[query.model]}
        rows={rows.map(anyRow)}
        path={listPage(query.model)}
        parameters={parameters}
        count={count ?? rows.length}
        limit={limit}
        offset={query.page._tag === 'offset' ? query.page.offset : 0}
        search={query.search ?? ''}
        branch={branch}
      />
    )
  })
