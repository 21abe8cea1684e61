import { type Field, type Model, registry } from '@netbox-pbs/core'
import type { ServedRow } from '@netbox-pbs/core/ports'
import { Cell } from './cell.tsx'
import { Pager, type PagerProps } from './pager.tsx'

/** A list as a page shows it. */
export interface ListViewProps extends PagerProps {
  readonly model: Model
  readonly rows: ReadonlyArray<ServedRow>
  /** The text searched for; empty: none. */
  readonly search: string
}

const ColumnHead = ({
  name,
  field,
  path,
  parameters,
}: {
  name: string
  field: Field
  path: string
  parameters: URLSearchParams
}) => {
  const current = parameters.get('ordering')
  const next = new URLSearchParams(parameters)
  next.set('ordering', current === name ? `-${name}` : name)
  next.delete('offset')
  const sorted = current === name ? 'ascending' : current === `-${name}` ? 'descending' : undefined
  return (
    <th scope="col" aria-sort={sorted}>
      <a
        class={`table-sort${sorted === 'ascending' ? ' asc' : sorted === 'descending' ? ' desc' : ''}`}
        href={`${path}?${next}`}
      >
        {field.label}
      </a>
    </th>
  )
}

const Row = ({ model, row }: { model: Model; row: ServedRow }) => {
  const values: Readonly<Record<string, unknown>> = row
  return (
    <tr>
      {model.columns.map((name, i) => {
        const field = model.fields[name]
        if (field === undefined) return null
        const cell = <Cell field={field} value={toFieldValue(values[name])} reference={row.serverName} />
        return (
          <td>
            {i === 0 && field.type !== 'reference' ? (
              <a href={`/plugins/pbs/${model.path}/${row.id}/`}>{cell}</a>
            ) : (
              cell
            )}
          </td>
        )
      })}
      <td class="text-end">
        <a class="btn btn-sm" href={`/plugins/pbs/${model.path}/${row.id}/`}>
          Show
        </a>
      </td>
    </tr>
  )
}

/** The quick search above a list; it keeps the list's other parameters. */
const Search = ({ path, parameters, search }: { path: string; parameters: URLSearchParams; search: string }) => (
  <form class="row g-2" method="get" action={path}>
    {[...parameters]
      .filter(([name]) => name !== 'q' && name !== 'offset')
      .map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
    <div class="col">
      <input
        class="form-control"
        type="search"
        name="q"
        value={search}
        placeholder="Quick search"
        aria-label="Quick search"
      />
    </div>
    <div class="col-auto">
      <button class="btn" type="submit">
        Search
      </button>
    </div>
  </form>
)

/** A model's rows with search, sorting and paging. Works without script. */
export const ListView = ({ model, rows, path, parameters, count, limit, offset, search }: ListViewProps) => (
  <div class="card">
    <div class="card-header">
      <Search path={path} parameters={parameters} search={search} />
    </div>
    <div class="table-responsive">
      <table class="table table-vcenter card-table table-hover">
        <caption class="visually-hidden">{model.labelPlural}</caption>
        <thead>
          <tr>
            {model.columns.map((name) => {
              const field = model.fields[name]
              return field === undefined ? null : (
                <ColumnHead name={name} field={field} path={path} parameters={parameters} />
              )
            })}
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row model={model} row={row} />
          ))}
          {rows.length === 0 ? (
            <EmptyRow columns={model.columns.length + 1} model={model} searched={search !== ''} />
          ) : null}
        </tbody>
      </table>
    </div>
    <Pager path={path} parameters={parameters} count={count} limit={limit} offset={offset} />
  </div>
)

const EmptyRow = ({ columns, model, searched }: { columns: number; model: Model; searched: boolean }) => (
  <tr>
    <td colspan={columns} class="text-secondary text-center py-4">
      {searched
        ? 'No row matches.'
        : model.name === registry.server.name
          ? 'No server yet. Add one, and the next sync fills the inventory.'
          : 'Nothing here yet. Start a sync to fill the inventory.'}
    </td>
  </tr>
)

/** A column's value as the field types know it; anything else is shown as nothing. */
export function toFieldValue(value: unknown): Parameters<typeof Cell>[0]['value'] {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return value
    case 'object':
      return value === null ? null : JSON.parse(JSON.stringify(value))
    default:
      return undefined
  }
}
