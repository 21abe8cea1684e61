import type { Field, FieldClass, Model } from '@netbox-pbs/core'
import type { Child } from 'hono/jsx'
import type { Row } from '../../rest/row.ts'
import { columnLabel } from './cell.tsx'
import { formatCount, formatTime } from './format.ts'
import { RowCell } from './row-cell.tsx'
import type { PageBranch } from './viewer.ts'

interface Attribute {
  readonly name: string
  readonly field: Field
}

interface Panel {
  readonly title: string
  readonly classes: ReadonlyArray<FieldClass>
}

const left: ReadonlyArray<Panel> = [
  { title: 'Identity', classes: ['key'] },
  { title: 'Last observed', classes: ['observation'] },
]
const right: ReadonlyArray<Panel> = [
  { title: 'From the source', classes: ['immutable', 'source'] },
  { title: 'Set here', classes: ['operator'] },
  { title: 'Counted and derived', classes: ['derived'] },
]

/**
 * A row's attributes, in panels by the class of its fields; JSON has panels of its own below them.
 * `related` is one of the panels.
 */
export const Detail = ({
  model,
  row,
  related,
  attached,
  branch,
}: {
  model: Model
  row: Row
  related: Child
  /** The panels of its tags and custom fields. */
  attached: Child
  /** The branch that its links keep. */
  branch: PageBranch
}) => {
  const fields = Object.entries(model.fields)
    .filter(([, field]) => field.internal !== true)
    .map(([name, field]): Attribute => ({ name, field }))
  const plain = fields.filter(({ field }) => field.type !== 'json')
  const wide = fields.filter(({ name, field }) => field.type === 'json' && !isEmpty(row[name]))
  const panel = ({ title, classes }: Panel) => (
    <Attributes
      title={title}
      model={model}
      row={row}
      branch={branch}
      attributes={plain.filter(({ field }) => classes.includes(field.class))}
    />
  )
  return (
    <>
      <div class="row row-cards">
        <div class="col-lg-6 netbox-pbs-stack">
          {left.map(panel)}
          {related}
        </div>
        <div class="col-lg-6 netbox-pbs-stack">
          {right.map(panel)}
          {attached}
        </div>
        {wide.map(({ name, field }) => (
          <div class="col-12">
            <section class="card">
              <div class="card-header">
                <h2 class="card-title">{columnLabel(field)}</h2>
              </div>
              <div class="card-body">
                <RowCell model={model} name={name} field={field} row={row} branch={branch} />
              </div>
            </section>
          </div>
        ))}
      </div>
      <p class="text-secondary mt-3 mb-0">
        {model.objectType}:{row.id} · created {formatTime(row.created)} · updated {formatTime(row.last_updated)}
      </p>
    </>
  )
}

const isEmpty = (json: unknown): boolean => typeof json !== 'object' || json === null || Object.keys(json).length === 0

const Attributes = ({
  title,
  model,
  row,
  branch,
  attributes,
}: {
  title: string
  model: Model
  row: Row
  branch: PageBranch
  attributes: ReadonlyArray<Attribute>
}) =>
  attributes.length === 0 ? null : (
    <section class="card">
      <div class="card-header">
        <h2 class="card-title">{title}</h2>
      </div>
      <table class="table card-table netbox-pbs-attributes">
        <tbody>
          {attributes.map(({ name, field }) => (
            <tr>
              <th scope="row">{columnLabel(field)}</th>
              <td class="netbox-pbs-break">
                <RowCell model={model} name={name} field={field} row={row} branch={branch} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )

/** A list of a row's children. */
export interface RelatedList {
  readonly label: string
  readonly href: string
  readonly count: number
}

/** Links from a row to the lists below it, with how many rows each has. */
export const Related = ({ lists }: { lists: ReadonlyArray<RelatedList> }) =>
  lists.length === 0 ? null : (
    <section class="card">
      <div class="card-header">
        <h2 class="card-title">Related</h2>
      </div>
      <div class="list-group list-group-flush">
        {lists.map(({ label, href, count }) => (
          <a class="list-group-item list-group-item-action d-flex justify-content-between" href={href}>
            {label}
            <span class="badge netbox-pbs-badge netbox-pbs-secondary">{formatCount(count)}</span>
          </a>
        ))}
      </div>
    </section>
  )
