import { type Attached, type Model, tagsOf } from '@netbox-pbs/core'
import { branchParameter } from '../../rest/branch-place.ts'
import type { Row } from '../../rest/row.ts'
import { TagChips } from '../components/attached.tsx'
import { DataTable, type TableColumn } from '../components/data-table.tsx'
import { Pager, type PagerProps } from '../components/pager.tsx'
import type { PageBranch } from '../components/viewer.ts'
import { headOf, kindOf, presentations } from '../presentations/presentations.ts'
import { linkedCell, listCell } from '../presentations/row-cell.tsx'

/** A list as a page shows it. */
export interface ListTableProps extends PagerProps {
  readonly model: Model
  /** The names of its columns. */
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<Row>
  /** The tags of the rows; without any there is no column of tags. */
  readonly attached: Attached
  /** The branch whose list it is. */
  readonly branch: PageBranch
}

/** With scripts, a link reloads only the list and shows its top; without them, the same link loads the page. */
const partly = {
  'hx-boost': 'true',
  'hx-target': '#list',
  'hx-select': '#list',
  'hx-swap': 'outerHTML show:#list:top',
}

/** A model's rows with sorting and paging. */
export const ListTable = ({
  model,
  columns,
  rows,
  attached,
  path,
  parameters,
  count,
  limit,
  offset,
  branch,
}: ListTableProps) => {
  const { title } = presentations[model.name]
  const shown = columns.flatMap((name): ReadonlyArray<TableColumn<Row>> => {
    const field = model.fields[name]
    if (field === undefined) return []
    const isTitle = name === title
    const head = headOf(model, name, field)
    const { sorted, href } = sortBy(name, path, parameters)
    return [
      {
        head,
        sort: field.type === 'json' ? undefined : <SortLink {...{ name, head, sorted, href }} />,
        sorted,
        kind: kindOf(model, name, field),
        title: isTitle,
        cell: (row) => (isTitle ? linkedCell : listCell)({ model, name, field, row, branch }),
      },
    ]
  })
  const tags: TableColumn<Row> = {
    head: 'Tags',
    kind: 'name',
    cell: (row) =>
      tagsOf(row, attached).length === 0 ? null : (
        <TagChips tags={tagsOf(row, attached)} model={model} branch={branch} />
      ),
  }
  return (
    <div id="list">
      <Kept parameters={parameters} />
      <DataTable
        caption={model.labelPlural}
        columns={attached.tags.size > 0 ? [...shown, tags] : shown}
        rows={rows}
        empty={emptyText(model, parameters)}
        headAttributes={partly}
      />
      <div {...partly}>
        <Pager path={path} parameters={parameters} count={count} limit={limit} offset={offset} />
      </div>
    </div>
  )
}

type Sorted = 'ascending' | 'descending' | undefined

/** How a list is sorted by a column, and the address of the list sorted by it next. */
function sortBy(
  name: string,
  path: string,
  parameters: URLSearchParams,
): { readonly sorted: Sorted; readonly href: string } {
  const current = parameters.get('ordering')
  const sorted = current === name ? 'ascending' : current === `-${name}` ? 'descending' : undefined
  const next = new URLSearchParams(parameters)
  next.set('ordering', sorted === 'ascending' ? `-${name}` : name)
  next.delete('offset')
  return { sorted, href: `${path}?${next}` }
}

/** Its id is the same in the list that it leads to, so that the focus stays on it. */
const SortLink = ({ name, head, sorted, href }: { name: string; head: string; sorted: Sorted; href: string }) => (
  <a
    id={`sort-${name}`}
    class={`table-sort${sorted === 'ascending' ? ' asc' : sorted === 'descending' ? ' desc' : ''}`}
    href={href}
  >
    {head}
  </a>
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

const plain = new Set(['limit', 'offset', 'ordering', 'columns', branchParameter])

function emptyText(model: Model, parameters: URLSearchParams): string {
  if ([...parameters].some(([name, value]) => !plain.has(name) && `${name}=${value}` !== 'q='))
    return `No ${model.label.toLowerCase()} matches.`
  return model.name === 'server'
    ? 'No server yet. Add one, and a sync fills the inventory.'
    : `No ${model.label.toLowerCase()} yet. A sync of a connected server brings them.`
}
