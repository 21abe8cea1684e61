import { type ListQuery, type ModelName, noDefinitions, registry } from '@netbox-pbs/core'
import { InventoryLists } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { attachedTo } from '../../inventory/attached.ts'
import { placeOf } from '../../rest/branch-place.ts'
import type { ApiContext } from '../../rest/caller.ts'
import { addServerPage, listPage } from '../../rest/page-paths.ts'
import { anyRow } from '../../rest/row.ts'
import { branchBanner, branchView } from '../branch-view.tsx'
import { IgnoredParameters, WrongParameters } from '../components/alert.tsx'
import { FilterChips } from '../components/filter-form.tsx'
import { Layout, PageTitle } from '../components/layout.tsx'
import type { PageBranch, Viewer } from '../components/viewer.ts'
import { presentations } from '../presentations/presentations.ts'
import { html, type Page, seeOther } from '../serve-page.tsx'
import { forVisitor } from '../visitor-page.ts'
import { filterChips } from './filter-chips.ts'
import { addressOfForm, columnsParameter, namedColumns, sent } from './list-parameters.ts'
import { ListTable } from './list-table.tsx'
import { ListTools } from './list-tools.tsx'
import { readPageQuery } from './page-query.ts'
import { QuickSearch } from './quick-search.tsx'

/** The list of a model, by the parameters that its REST list takes. */
export const list =
  (model: ModelName) =>
  (c: ApiContext): Page => {
    const parameters = new URL(c.req.url).searchParams
    // Pages are reached by number; a cursor belongs to REST.
    parameters.delete('start')
    const address = addressOfForm(model, parameters)
    return forVisitor((viewer) => {
      if (address !== null) {
        if (parameters.has(sent.columns)) keepColumns(c, model, address.get(columnsParameter))
        return Effect.succeed(c.redirect(`${listPage(model)}${address.size > 0 ? `?${address}` : ''}`, 303))
      }
      const kept = getCookie(c, columnsCookie(model))
      return branchView(c, { viewer, place: placeOf(model) }, (branch) =>
        draw({ viewer, name: model, parameters, branch, kept }),
      )
    }, 'by server')(c)
  }

const columnsCookie = (model: ModelName): string => `netbox_pbs_columns_${model}`

/** Columns that a user has chosen are those of the list in this browser, for a year; null: the usual ones again. */
function keepColumns(c: ApiContext, model: ModelName, columns: string | null): void {
  const { prefix, scheme } = c.get('client')
  const scope = {
    ...{ path: `${prefix}/plugins/pbs`, httpOnly: true, secure: scheme === 'https' },
    sameSite: 'Lax' as const,
  }
  if (columns === null) deleteCookie(c, columnsCookie(model), scope)
  else setCookie(c, columnsCookie(model), columns, { ...scope, maxAge: 365 * 86_400 })
}

interface Drawing {
  readonly viewer: Viewer
  readonly name: ModelName
  readonly parameters: URLSearchParams
  readonly branch: PageBranch
  /** The columns that this browser keeps for the list. */
  readonly kept: string | undefined
}

const draw = ({ viewer, name, parameters, branch, kept }: Drawing): Page =>
  Effect.gen(function* () {
    const model = registry[name]
    const path = listPage(name)
    const filtering = new URLSearchParams(parameters)
    filtering.delete(columnsParameter)
    const { request, resolved } = yield* readPageQuery(name, filtering)
    const wrong = resolved._tag === 'rejected' ? resolved.body : null
    const page = resolved._tag === 'query' ? yield* rowsOf(resolved.query) : noRows
    const { limit } = request.query.page
    const offset = request.query.page._tag === 'offset' ? request.query.page.offset : 0
    if (page.count > 0 && offset >= page.count) return seeOther(`${path}?${lastPage(parameters, page.count, limit)}`)
    const columns =
      namedColumns(model, parameters.get(columnsParameter) ?? undefined) ??
      namedColumns(model, kept) ??
      usualColumns(request.query, resolved._tag === 'query' ? resolved.query : null)
    const chips = yield* filterChips(request, filtering)
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
        <FilterChips chips={chips} path={listPage(name, branch)} />
        <div class="card">
          <div class="card-header netbox-pbs-list-head">
            <QuickSearch
              path={path}
              search={request.query.search ?? ''}
              label={`Search ${model.labelPlural.toLowerCase()}`}
            />
            <ListTools
              {...{ model, path, parameters, columns }}
              servers={name === 'server' ? [] : yield* serverNames}
              filters={chips.length}
            />
          </div>
          <ListTable {...page} {...{ model, columns, path, parameters, limit, offset, branch }} />
        </div>
      </Layout>,
      wrong === null ? 200 : 400,
    )
  })

const noRows = { count: 0, rows: [], attached: noDefinitions } as const

const rowsOf = (query: ListQuery) =>
  Effect.gen(function* () {
    const { count, rows } = yield* (yield* InventoryLists).list(query)
    const tagged = rows.some(({ tags }) => tags.length > 0)
    const attached = tagged ? yield* attachedTo(query.model, rows) : noDefinitions
    return { count: count ?? rows.length, rows: rows.map(anyRow), attached }
  })

/** The parameters of the last page of a list. */
function lastPage(parameters: URLSearchParams, count: number, limit: number): URLSearchParams {
  const last = new URLSearchParams(parameters)
  last.set('offset', String(Math.floor((count - 1) / limit) * limit))
  return last
}

/** Servers that the filter form lets choose from. */
const offeredServers = 200

const serverNames = Effect.gen(function* () {
  const page = { _tag: 'offset', limit: offeredServers, offset: 0 } as const
  const { rows } = yield* (yield* InventoryLists).list({ model: 'server', filters: [], search: null, order: [], page })
  return rows.map(({ name }) => name)
})

/** The columns that a list shows as a rule: without the server's where all rows are of one. */
function usualColumns({ model }: ListQuery, query: ListQuery | null): ReadonlyArray<string> {
  const { columns } = presentations[model]
  const ofOneServer = query?.filters.some(
    ({ field, lookup, negated, values }) =>
      field === 'server' && lookup === 'exact' && negated !== true && values.length === 1,
  )
  return ofOneServer === true ? columns.filter((name) => name !== 'server') : columns
}
