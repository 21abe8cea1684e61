import type { Field, Model } from '@netbox-pbs/core'
import type { Row } from '../../rest/row.ts'
import { DataTable, type TableColumn } from '../components/data-table.tsx'
import type { PageBranch } from '../components/viewer.ts'
import { headOf, kindOf, presentations } from '../presentations/presentations.ts'
import { linkedCell, listCell } from '../presentations/row-cell.tsx'

/** Rows of a list on the page of what they belong to. */
interface RowsPanelProps {
  readonly title: string
  readonly model: Model
  /** The names of the shown columns. */
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<Row>
  /** The list with all of them. */
  readonly href: string
  /** The text in place of rows. */
  readonly empty: string
  /** The branch that the links keep. */
  readonly branch: PageBranch
}

/** The first rows of a list, as the list shows them, with a link to all of it. */
export const RowsPanel = ({ title, model, columns, rows, href, empty, branch }: RowsPanelProps) => {
  const { title: named } = presentations[model.name]
  const linkedName = columns.includes(named) ? named : columns[0]
  const fields = columns.flatMap((name): ReadonlyArray<TableColumn<Row>> => {
    const field: Field | undefined = model.fields[name]
    if (field === undefined) return []
    const linked = name === linkedName
    return [
      {
        head: headOf(model, name, field),
        kind: kindOf(model, name, field),
        title: linked,
        cell: (row) => (linked ? linkedCell : listCell)({ model, name, field, row, branch }),
      },
    ]
  })
  return (
    <section class="card">
      <div class="card-header">
        <h2 class="card-title">{title}</h2>
        <div class="card-actions">
          <a href={href}>All {model.labelPlural.toLowerCase()}</a>
        </div>
      </div>
      <DataTable caption={title} columns={fields} rows={rows} empty={empty} />
    </section>
  )
}
