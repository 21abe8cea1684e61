import { type Attached, type Field, type Model, tagsOf } from '@netbox-pbs/core'
import { branchParameter } from '../../rest/branch-place.ts'
import type { Row } from '../../rest/row.ts'
import { TagChips } from './attached.tsx'
import { columnLabel } from './cell.tsx'
import { EmptyRow } from './empty-row.tsx'
import { Pager, type PagerProps } from './pager.tsx'
import { LinkedCell, linkedColumn, RowCell } from './row-cell.tsx'
import type { PageBranch } from './viewer.ts'

/** A list as a page shows it. */
export interface ListTableProps extends PagerProps {
  readonly model: Model
  readonly rows: ReadonlyArray<Row>
  /** The tags of the rows; without any there is no column of tags. */
  readonly attached: Attached
  /** The text searched for; empty: none. */
  readonly search: string
  /** The branch whose list it is. */
  readonly branch: PageBranch
}

interface Column {
  readonly name: string
  readonly field: Field
}

/** Texts that may go on for lines. */
const long = new Set(['comment', 'status'])

/** With scripts, a link reloads only the list; without them, the same link loads the page. */
const partly = { 'hx-boost': 'true', 'hx-target': '#list', 'hx-select': '#list', 'hx-swap': 'outerHTML show:none' }

/** A model's rows with quick search, sorting and paging. */
export const ListTable = ({
  model,
  rows,
  attached,
  path,
  parameters,
  count,
  limit,
  offset,
  search,
  branch,
}: ListTableProps) => {
  const columns = model.columns.flatMap((name): ReadonlyArray<Column> => {
    const field = model.fields[name]
    return field === undefined ? [] : [{ name, field }]
  })
  const linked = linkedColumn(model)
  return (
    <div class="card">
      <div class="card-header">
        <Search path={path} search={search} label={`Search ${model.labelPlural.toLowerCase()}`} />
      </div>
      <div id="list">
        <Kept parameters={parameters} />
        <div class="table-responsive">
          <table class="table table-vcenter card-table table-hover netbox-pbs-list">
            <caption class="visually-hidden">{model.labelPlural}</caption>
            <thead {...partly}>
              <tr>
                {columns.map(({ name, field }) => (
                  <ColumnHead name={name} field={field} path={path} parameters={parameters} />
                ))}
                {attached.tags.size > 0 ? <th scope="col">Tags</th> : null}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr>
                  {columns.map(({ name, field }) => (
                    <td class={field.type === 'text' && long.has(name) ? 'netbox-pbs-clip' : undefined}>
                      {name === linked ? (
                        <LinkedCell model={model} name={name} field={field} row={row} branch={branch} />
                      ) : (
                        <RowCell model={model} name={name} field={field} row={row} branch={branch} />
                      )}
                    </td>
                  ))}
                  {attached.tags.size > 0 ? (
                    <td>
                      <TagChips tags={tagsOf(row, attached)} model={model} branch={branch} />
                    </td>
                  ) : null}
                </tr>
              ))}
              {rows.length === 0 ? (
                <EmptyRow columns={columns.length}>{emptyText(model, count, parameters)}</EmptyRow>
              ) : null}
            </tbody>
          </table>
        </div>
        <div {...partly}>
          <Pager path={path} parameters={parameters} count={count} limit={limit} offset={offset} />
        </div>
      </div>
    </div>
  )
}

const ColumnHead = ({ name, field, path, parameters }: Column & { path: string; parameters: URLSearchParams }) => {
  const current = parameters.get('ordering')
  const sorted = current === name ? 'ascending' : current === `-${name}` ? 'descending' : undefined
  const next = new URLSearchParams(parameters)
  next.set('ordering', sorted === 'ascending' ? `-${name}` : name)
  next.delete('offset')
  return (
    <th scope="col" aria-sort={sorted}>
      <a
        class={`table-sort${sorted === 'ascending' ? ' asc' : sorted === 'descending' ? ' desc' : ''}`}
        href={`${path}?${next}`}
      >
        {columnLabel(field)}
      </a>
    </th>
  )
}

/** The quick search. It stays in place while the list is reloaded. */
const Search = ({ path, search, label }: { path: string; search: string; label: string }) => (
  <search class="w-100">
    <form
      id="search"
      class="row g-2 netbox-pbs-search"
      method="get"
      action={path}
      hx-get={path}
      hx-trigger="submit, input changed delay:500ms from:#quick-search"
      hx-target="#list"
      hx-select="#list"
      hx-swap="outerHTML show:none"
      hx-push-url="true"
      hx-sync="this:replace"
    >
      <div class="col">
        <input
          id="quick-search"
          class="form-control"
          type="search"
          name="q"
          value={search}
          placeholder="Quick search"
          aria-label={label}
          autocomplete="off"
        />
      </div>
      <div class="col-auto">
        <button class="btn" type="submit">
          Search
        </button>
      </div>
    </form>
  </search>
)

/** The list's other parameters, which a search keeps. They belong to its form, and change with the list. */
const Kept = ({ parameters }: { parameters: URLSearchParams }) => (
  <>
    {[...parameters]
      .filter(([name]) => name !== 'q' && name !== 'offset')
      .map(([name, value]) => (
        <input type="hidden" name={name} value={value} form="search" />
      ))}
  </>
)

const plain = new Set(['limit', 'offset', 'ordering', branchParameter])

function emptyText(model: Model, count: number, parameters: URLSearchParams): string {
  if (count > 0) return 'The list ends before this page.'
  if ([...parameters].some(([name, value]) => !plain.has(name) && `${name}=${value}` !== 'q='))
    return `No ${model.label.toLowerCase()} matches.`
  return model.name === 'server'
    ? 'No server yet. Add one, and a sync fills the inventory.'
    : `No ${model.label.toLowerCase()} yet. A sync of a connected server brings them.`
}
