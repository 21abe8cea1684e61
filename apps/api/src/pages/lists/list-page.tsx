import {
  type Field,
  type ListQuery,
  type ListRequest,
  type ModelName,
  noDefinitions,
  registry,
  splitParameter,
} from '@netbox-pbs/core'
import { InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { attachedTo } from '../../inventory/attached.ts'
import { branchParameter, placeOf } from '../../rest/branch-place.ts'
import type { ApiContext } from '../../rest/caller.ts'
import { addServerPage, listPage } from '../../rest/page-paths.ts'
import { anyRow } from '../../rest/row.ts'
import { branchBanner, branchView } from '../branch-view.tsx'
import { IgnoredParameters, WrongParameters } from '../components/alert.tsx'
import { type Chip, FilterChips } from '../components/filter-form.tsx'
import { Layout, PageTitle } from '../components/layout.tsx'
import type { PageBranch, Viewer } from '../components/viewer.ts'
import { presentations } from '../presentations/presentations.ts'
import { html, type Page } from '../serve-page.tsx'
import { forVisitor } from '../visitor-page.ts'
import { ListTable } from './list-table.tsx'
import { readPageQuery } from './page-query.ts'
import { QuickSearch } from './quick-search.tsx'

/** The list of a model, by the parameters that its REST list takes. */
export const list =
  (model: ModelName) =>
  (c: ApiContext): Page => {
    const parameters = new URL(c.req.url).searchParams
    // Pages are reached by number; a cursor belongs to REST.
    parameters.delete('start')
    return forVisitor(
      (viewer) => branchView(c, { viewer, place: placeOf(model) }, (branch) => draw(viewer, model, parameters, branch)),
      'by server',
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
        <div class="card">
          <div class="card-header">
            <QuickSearch
              path={path}
              search={request.query.search ?? ''}
              label={`Search ${model.labelPlural.toLowerCase()}`}
            />
          </div>
          {resolved._tag === 'query' ? yield* table(resolved.query, parameters, branch) : null}
        </div>
      </Layout>,
      wrong === null ? 200 : 400,
    )
  })

const table = (query: ListQuery, parameters: URLSearchParams, branch: PageBranch) =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    const { count, rows } = yield* lists.list(query)
    const { limit } = query.page
    const tagged = rows.some(({ tags }) => tags.length > 0)
    const attached = tagged ? yield* attachedTo(query.model, rows) : noDefinitions
    return (
      <ListTable
        attached={attached}
        model={registry[query.model]}
        columns={columnsOf(query)}
        rows={rows.map(anyRow)}
        path={listPage(query.model)}
        parameters={parameters}
        count={count ?? rows.length}
        limit={limit}
        offset={query.page._tag === 'offset' ? query.page.offset : 0}
        branch={branch}
      />
    )
  })

/** The columns that a list shows: its own, without the server's where all rows are of one. */
function columnsOf({ model, filters }: ListQuery): ReadonlyArray<string> {
  const { columns } = presentations[model]
  const ofOneServer = filters.some(
    ({ field, lookup, negated, values }) =>
      field === 'server' && lookup === 'exact' && negated !== true && values.length === 1,
  )
  return ofOneServer ? columns.filter((name) => name !== 'server') : columns
}

/** Parameters of a list page that are not filters. */
const noFilters = new Set(['limit', 'offset', 'ordering', 'q', 'brief', 'fields', 'omit', 'format', branchParameter])

/** The filters of a request, in the words of its columns; one given by a server's id shows the server's name. */
const filterChips = (
  { query: { model }, ignored }: ListRequest,
  parameters: URLSearchParams,
): Effect.Effect<ReadonlyArray<Chip>, StoreFailed, InventoryLists> =>
  Effect.forEach(
    [...parameters].filter(([name]) => !noFilters.has(name) && !ignored.includes(name)),
    ([name, value]) =>
      Effect.gen(function* () {
        const fields: Readonly<Record<string, Field>> = registry[model].fields
        const { name: filtered, suffix } = splitParameter(name)
        const column = filtered.replace(/_id$/, '')
        const byId = fields[filtered] === undefined && fields[column]?.type === 'reference'
        const label = (byId ? fields[column] : fields[filtered])?.label
        const without = new URLSearchParams(parameters)
        without.delete(name, value)
        without.delete('offset')
        return {
          label: label === undefined ? name : suffix === null ? label : `${label} ${lookupWords[suffix] ?? suffix}`,
          value: byId ? yield* serverName(value) : value === '' ? blank(fields[name]) : value,
          without: `${listPage(model)}${without.size > 0 ? `?${without}` : ''}`,
        }
      }),
  )

/** What the lookups of filters do, in words that stand before their value. */
const lookupWords: Readonly<Record<string, string>> = {
  n: 'is not',
  ic: 'contains',
  nic: 'does not contain',
  ie: 'in any case',
  nie: 'in no case',
  isw: 'starts with',
  nisw: 'does not start with',
  iew: 'ends with',
  niew: 'does not end with',
  empty: 'is empty',
  regex: 'matches',
  iregex: 'matches in any case',
  lt: 'below',
  lte: 'at most',
  gt: 'above',
  gte: 'at least',
}

const blank = (field: Field | undefined): string => (field?.class === 'key' ? '(root)' : '(none)')

const serverName = (id: string): Effect.Effect<string, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    const row = /^\d{1,15}$/.test(id) ? yield* lists.get({ model: 'server', id: Number(id) }) : Option.none()
    return Option.match(row, { onNone: () => id, onSome: ({ name }) => name })
  })
