import type { Field, Model } from '@netbox-pbs/core'
import type { Child } from 'hono/jsx'
import type { Row } from '../../rest/row.ts'
import { columnLabel } from '../components/cell.tsx'
import { formatCount } from '../components/format.ts'
import { Time } from '../components/time.tsx'
import type { PageBranch } from '../components/viewer.ts'
import { fieldPresentation, headOf, presentations } from '../presentations/presentations.ts'
import { RowCell } from '../presentations/row-cell.tsx'

interface Attribute {
  readonly name: string
  readonly field: Field
}

/** A row's page: what it shows of the row, and around it. */
interface DetailProps {
  readonly model: Model
  readonly row: Row
  /** The pages of the rows that fields name, by the field. */
  readonly links: Readonly<Record<string, string>>
  /** The panels of its tags and custom fields. */
  readonly attached: Child
  /** The branch that its links keep. */
  readonly branch: PageBranch
}

const observed = new Set(['observation', 'derived'])

/**
 * A row's attributes: what it is, and how it is doing. Attributes without a value and those that only
 * experts look for are folded away; JSON has panels of its own.
 */
export const Detail = ({ model, row, links, attached, branch }: DetailProps) => {
  const technical: ReadonlyArray<string> = presentations[model.name].technical
  const fields = Object.entries(model.fields)
    .filter(([, field]) => field.internal !== true)
    .map(([name, field]): Attribute => ({ name, field }))
  const plain = fields.filter(({ field }) => field.type !== 'json')
  const isFolded = ({ name, field }: Attribute): boolean =>
    technical.includes(name) || (isBlank(row[name]) && !(field.class === 'key'))
  const shown = plain.filter((attribute) => !isFolded(attribute))
  const wide = fields.filter(({ name, field }) => field.type === 'json' && !isEmpty(row[name]))
  const panel = (title: string, attributes: ReadonlyArray<Attribute>) => (
    <Attributes {...{ title, model, row, links, branch, attributes }} />
  )
  return (
    <>
      <div class="row row-cards">
        <div class="col-lg-6 netbox-pbs-stack">
          {panel(
            'About',
            shown.filter(({ field }) => !observed.has(field.class)),
          )}
          {attached}
        </div>
        <div class="col-lg-6 netbox-pbs-stack">
          {panel(
            'State',
            shown.filter(({ field }) => observed.has(field.class)),
          )}
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
      <details class="mt-3">
        <summary>Technical details and fields without a value</summary>
        <section class="card mt-2">
          <table class="table card-table netbox-pbs-attributes">
            <tbody>
              {plain.filter(isFolded).map(({ name, field }) => (
                <Line {...{ model, row, links, branch, name, field }} />
              ))}
              <tr>
                <th scope="row">Object</th>
                <td class="netbox-pbs-break">
                  {model.objectType}:{row.id}
                </td>
              </tr>
              <tr>
                <th scope="row">Created here</th>
                <td>
                  <Time time={row.created} form="exact" />
                </td>
              </tr>
              <tr>
                <th scope="row">Last updated</th>
                <td>
                  <Time time={row.last_updated} form="exact" />
                </td>
              </tr>
            </tbody>
          </table>
        </section>
      </details>
    </>
  )
}

const isBlank = (value: unknown): boolean => value === null || value === undefined || value === ''

const isEmpty = (json: unknown): boolean => typeof json !== 'object' || json === null || Object.keys(json).length === 0

const Attributes = ({
  title,
  attributes,
  ...about
}: Omit<DetailProps, 'attached'> & { title: string; attributes: ReadonlyArray<Attribute> }) =>
  attributes.length === 0 ? null : (
    <section class="card">
      <div class="card-header">
        <h2 class="card-title">{title}</h2>
      </div>
      <table class="table card-table netbox-pbs-attributes">
        <tbody>
          {attributes.map((attribute) => (
            <Line {...about} {...attribute} />
          ))}
        </tbody>
      </table>
    </section>
  )

/** A field with its value, which leads to the page of the row that it names. */
const Line = ({ model, row, links, branch, name, field }: Omit<DetailProps, 'attached'> & Attribute) => {
  const href = links[name]
  const value = <RowCell model={model} name={name} field={field} row={row} branch={branch} />
  return (
    <tr>
      <th scope="row">{fieldPresentation(model.name, name).title ?? headOf(model, name, field)}</th>
      <td class="netbox-pbs-break">
        {href === undefined || field.type === 'reference' ? value : <a href={href}>{value}</a>}
      </td>
    </tr>
  )
}

/** A list of a row's children. */
export interface RelatedList {
  readonly label: string
  readonly href: string
  readonly count: number
}

/** Links from a row to the lists below it, with how many rows each has. */
export const Related = ({ lists }: { lists: ReadonlyArray<RelatedList> }) =>
  lists.length === 0 ? null : (
    <nav aria-label="Related lists" class="netbox-pbs-related mb-3">
      {lists.map(({ label, href, count }) => (
        <a class="btn btn-sm" href={href}>
          {label}
          <span class="badge netbox-pbs-badge netbox-pbs-secondary ms-2">{formatCount(count)}</span>
        </a>
      ))}
    </nav>
  )
