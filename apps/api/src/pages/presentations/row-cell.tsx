import type { Field, Model } from '@netbox-pbs/core'
import type { Child } from 'hono/jsx'
import { rowPage } from '../../rest/page-paths.ts'
import type { Row } from '../../rest/row.ts'
import { Badge } from '../components/badge.tsx'
import { Cell } from '../components/cell.tsx'
import { formatTime } from '../components/format.ts'
import type { PageBranch } from '../components/viewer.ts'
import { fieldPresentation } from '../presentations/presentations.ts'

/** A column of a row, and the branch that its links keep. */
interface RowCellProps {
  readonly model: Model
  readonly name: string
  readonly field: Field
  readonly row: Row
  readonly branch?: PageBranch
}

/** A field of a row on its page. */
export const RowCell = ({ model, name, field, row, branch = null }: RowCellProps) => {
  const own = fieldPresentation(model.name, name).cell?.(row)
  return <>{own === undefined ? <Cell {...{ field, branch }} value={row[name]} reference={row.serverName} /> : own}</>
}

/** A field of a row in a list; null: it has no value. */
export function listCell({ model, name, field, row, branch = null }: RowCellProps): Child {
  const { short, cell } = fieldPresentation(model.name, name)
  const own = short === undefined ? cell?.(row) : short(row)
  if (own !== undefined) return own
  const value = row[name]
  const isBlankKey = value === '' && field.type === 'text' && field.class === 'key'
  if (!isBlankKey && (value === null || value === undefined || value === '')) return null
  return <Cell {...{ field, value, branch }} reference={row.serverName} time="age" />
}

/** A field of a row in a list, linked to the row. */
export const linkedCell = (props: RowCellProps): Child => (
  <>
    <a class="fw-medium" href={rowPage(props.model.name, props.row.id, props.branch)}>
      {listCell(props) ?? '(none)'}
    </a>
    <MissingBadge row={props.row} />
  </>
)

/** Marks a row that its source no longer lists and that is still there. */
const MissingBadge = ({ row: { missing_since: since } }: { row: Row }) =>
  typeof since === 'string' ? (
    <>
      {' '}
      <Badge color="orange" label="missing" title={`since ${formatTime(since)}`} />
    </>
  ) : null
