import type { Child } from 'hono/jsx'
import { EmptyRow } from './empty-row.tsx'

/**
 * The width that a column takes. `short` ones and numbers never wrap.
 *
 * - `number`: right aligned, digits of one width.
 * - `name`: wraps inside words where the table would not fit.
 * - `place`: a name of several words, which is not broken before the texts next to it are.
 * - `text`: takes what is left; one line, cut off with dots.
 * - `prose`: takes what is left, as many lines as it needs.
 * - `actions`: buttons at the right end; the first of a card on phones.
 */
export type ColumnKind = 'short' | 'number' | 'name' | 'place' | 'text' | 'prose' | 'actions'

/** A column of a table of rows. */
export interface TableColumn<Row> {
  /** Stands above the column, and before its value on phones. */
  readonly head: string
  /** The head with its link that sorts; left out: the head alone. */
  readonly sort?: Child
  readonly sorted?: 'ascending' | 'descending' | undefined
  readonly kind?: ColumnKind
  /** The head is for screen readers only. */
  readonly hidden?: true
  /** The value names the row: the title of its card on phones. */
  readonly title?: boolean
  /** Null: the row has no value; on phones its line is left out. */
  readonly cell: (row: Row) => Child
}

interface DataTableProps<Row> {
  readonly caption: string
  readonly columns: ReadonlyArray<TableColumn<Row>>
  readonly rows: ReadonlyArray<Row>
  /** The text in place of rows. */
  readonly empty: Child
  /** Attributes of the head's links, for partial refreshes. */
  readonly headAttributes?: Readonly<Record<string, string>>
}

/**
 * A table that fits the page: its columns give way before it scrolls. Below 576 px each row is a card,
 * with its title and actions first and the head of each column before its value.
 */
export const DataTable = <Row,>({ caption, columns, rows, empty, headAttributes = {} }: DataTableProps<Row>) => (
  <section class="table-responsive" tabindex={0} aria-label={caption}>
    <table class="table table-vcenter card-table table-hover netbox-pbs-list">
      <caption class="visually-hidden">{caption}</caption>
      <thead {...headAttributes}>
        <tr>
          {columns.map(({ head, sort, sorted, kind, hidden }) => (
            <th scope="col" class={kind === 'number' ? 'text-nowrap text-end' : 'text-nowrap'} aria-sort={sorted}>
              {hidden === true ? <span class="visually-hidden">{head}</span> : (sort ?? head)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr>
            {columns.map((column) => (
              <DataCell column={column} row={row} />
            ))}
          </tr>
        ))}
        {rows.length === 0 ? <EmptyRow columns={columns.length}>{empty}</EmptyRow> : null}
      </tbody>
    </table>
  </section>
)

const DataCell = <Row,>({ column, row }: { column: TableColumn<Row>; row: Row }) => {
  const { head, kind = 'short', title = false, cell } = column
  return (
    <td class={`netbox-pbs-${kind}${title ? ' netbox-pbs-title' : ''}`} data-head={title ? undefined : head}>
      {cell(row) ?? <span class="text-secondary netbox-pbs-nothing">—</span>}
    </td>
  )
}
