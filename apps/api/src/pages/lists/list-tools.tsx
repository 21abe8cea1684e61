import { type Field, listFields, type Model, suffixesOf } from '@netbox-pbs/core'
import type { Child } from 'hono/jsx'
import { headOf, presentations } from '../presentations/presentations.ts'
import { columnsParameter, offeredColumns, sent } from './list-parameters.ts'

interface ListToolsProps {
  readonly model: Model
  readonly path: string
  readonly parameters: URLSearchParams
  /** The shown columns. */
  readonly columns: ReadonlyArray<string>
  /** The names of the servers to choose from. */
  readonly servers: ReadonlyArray<string>
  /** How many filters the list has. */
  readonly filters: number
}

/** The filters and the columns of a list, in forms that open below their buttons. */
export const ListTools = (props: ListToolsProps) => (
  <div class="netbox-pbs-tools">
    <details name="list-tools">
      <summary class="btn">Filters{props.filters === 0 ? '' : ` (${props.filters})`}</summary>
      <Filters {...props} />
    </details>
    <details name="list-tools">
      <summary class="btn">Columns</summary>
      <Columns {...props} />
    </details>
  </div>
)

/** What the lookups of filters do, in words that stand before their value. */
export const lookupWords: Readonly<Record<string, string>> = {
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

const lookups = [...new Set((['text', 'integer'] as const).flatMap(suffixesOf))]

const Filters = ({ model, path, parameters, servers }: ListToolsProps) => {
  const offered: ReadonlyArray<string> = presentations[model.name].filters
  return (
    <form class="netbox-pbs-panel" method="get" action={path}>
      <input type="hidden" name={sent.filter} value="1" />
      <Others parameters={parameters} own={new Set([...offered, 'offset'])} />
      <div class="row g-2">
        {offered.map((name) => {
          const field: Field | undefined = model.fields[name]
          return field === undefined ? null : (
            <Labelled id={name} label={headOf(model, name, field)}>
              <FilterInput {...{ name, field, servers }} value={parameters.get(name) ?? ''} />
            </Labelled>
          )
        })}
      </div>
      <div class="row g-2 mt-1">
        <Labelled id={sent.field} label="Any field">
          <select class="form-select" id={`filter-${sent.field}`} name={sent.field}>
            <option value="">—</option>
            {Object.entries(listFields(model.name)).map(([name, field]) => (
              <option value={name}>{field.label}</option>
            ))}
          </select>
        </Labelled>
        <Labelled id={sent.lookup} label="Comparison">
          <select class="form-select" id={`filter-${sent.lookup}`} name={sent.lookup}>
            <option value="">is</option>
            {lookups.map((lookup) => (
              <option value={lookup}>{lookupWords[lookup] ?? lookup}</option>
            ))}
          </select>
        </Labelled>
        <Labelled id={sent.value} label="Value">
          <input class="form-control" id={`filter-${sent.value}`} name={sent.value} autocomplete="off" />
        </Labelled>
      </div>
      <button class="btn btn-primary mt-3" type="submit">
        Filter
      </button>
    </form>
  )
}

const Labelled = ({ id, label, children }: { id: string; label: string; children?: Child }) => (
  <div class="col-12 col-sm-6 col-lg-4">
    <label class="form-label" for={`filter-${id}`}>
      {label}
    </label>
    {children}
  </div>
)

const FilterInput = (props: { name: string; field: Field; value: string; servers: ReadonlyArray<string> }) => {
  const { name, field, value, servers } = props
  const options =
    field.type === 'choice'
      ? field.choices.map((choice) => ({ value: choice.value, label: choice.label }))
      : field.type === 'boolean'
        ? [
            { value: 'true', label: 'Yes' },
            { value: 'false', label: 'No' },
          ]
        : field.type === 'reference'
          ? servers.map((server) => ({ value: server, label: server }))
          : null
  if (options === null)
    return <input class="form-control" id={`filter-${name}`} name={name} value={value} autocomplete="off" />
  return (
    <select class="form-select" id={`filter-${name}`} name={name}>
      <option value="">all</option>
      {options.map((option) => (
        <option value={option.value} selected={option.value === value}>
          {option.label}
        </option>
      ))}
    </select>
  )
}

const Columns = ({ model, path, parameters, columns }: ListToolsProps) => {
  const all = offeredColumns(model)
  const named = new Map(all)
  const inOrder = [...columns.filter((name) => named.has(name)), ...all.map(([name]) => name)]
  return (
    <form class="netbox-pbs-panel" method="get" action={path}>
      <Others parameters={parameters} own={new Set([columnsParameter])} />
      <div class="row g-2">
        {[...new Set(inOrder)].map((name) => (
          <label class="form-check col-12 col-sm-6 col-lg-4 m-0">
            <input
              class="form-check-input"
              type="checkbox"
              name={columnsParameter}
              value={name}
              checked={columns.includes(name)}
            />
            <span class="form-check-label">{named.get(name)?.label}</span>
          </label>
        ))}
      </div>
      <div class="btn-list mt-3">
        <button class="btn btn-primary" type="submit" name={sent.columns} value="1">
          Show these
        </button>
        <button class="btn" type="submit" name={sent.columns} value="default">
          Usual columns
        </button>
      </div>
    </form>
  )
}

/** The parameters that a form keeps. */
const Others = ({ parameters, own }: { parameters: URLSearchParams; own: ReadonlySet<string> }) => (
  <>
    {[...parameters]
      .filter(([name]) => !own.has(name))
      .map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
  </>
)
