import type { Field, FieldClass, Model } from '@netbox-pbs/core'
import type { ServedRow } from '@netbox-pbs/core/ports'
import type { Child } from 'hono/jsx'
import { Cell } from './cell.tsx'
import { formatTime } from './format.ts'
import { toFieldValue } from './list-view.tsx'

const panels: ReadonlyArray<{ readonly title: string; readonly classes: ReadonlyArray<FieldClass> }> = [
  { title: 'Identity', classes: ['key'] },
  { title: 'As the source says', classes: ['source', 'immutable', 'operator'] },
  { title: 'Last observed', classes: ['observation'] },
  { title: 'Derived', classes: ['derived'] },
]

const Attribute = ({ field, row, name }: { field: Field; row: ServedRow; name: string }) => {
  const values: Readonly<Record<string, unknown>> = row
  return (
    <tr>
      <th scope="row" class="w-33">
        {field.label}
      </th>
      <td>
        <Cell field={field} value={toFieldValue(values[name])} reference={row.serverName} />
      </td>
    </tr>
  )
}

/** A row's attributes, one panel for each group of field classes. */
export const DetailView = ({ model, row, children }: { model: Model; row: ServedRow; children?: Child }) => (
  <div class="row row-cards">
    {panels.map(({ title, classes }) => {
      const fields = Object.entries(model.fields).filter(
        ([, field]) => classes.includes(field.class) && field.internal !== true,
      )
      if (fields.length === 0) return null
      return (
        <div class="col-md-6">
          <div class="card">
            <h2 class="card-header card-title">{title}</h2>
            <table class="table card-table">
              <tbody>
                {fields.map(([name, field]) => (
                  <Attribute name={name} field={field} row={row} />
                ))}
              </tbody>
            </table>
          </div>
        </div>
      )
    })}
    {children}
    <div class="col-12 text-secondary">
      {model.objectType}:{row.id} · created {formatTime(row.created)} · updated {formatTime(row.last_updated)}
    </div>
  </div>
)
