import { type Field, listFields, type Model, type ModelName, registry } from '@netbox-pbs/core'
import { branchParameter } from '../../rest/branch-place.ts'
import { presentations } from '../presentations/presentations.ts'

/** The parameter that names the columns of a list, in their order, between commas. */
export const columnsParameter = 'columns'

/** Parameters of a list page that are not filters. */
export const notFilters: ReadonlySet<string> = new Set([
  ...['limit', 'offset', 'ordering', 'q', 'brief', 'fields', 'omit', 'format'],
  ...[columnsParameter, branchParameter],
])

/** Fields that the form of filters and that of columns send, besides those of the list. */
export const sent = {
  filter: '_filter',
  field: '_field',
  lookup: '_lookup',
  value: '_value',
  columns: '_columns',
} as const

/** The columns that a list may show: every field that fits into a cell. */
export const offeredColumns = (model: Model): ReadonlyArray<readonly [name: string, field: Field]> =>
  Object.entries(model.fields).filter(([, field]) => field.internal !== true && field.type !== 'json')

/** The columns that a text names; those that the model lacks are left out, and none is none. */
export function namedColumns(model: Model, text: string | undefined): ReadonlyArray<string> | null {
  const offered = new Set(offeredColumns(model).map(([name]) => name))
  const named = [...new Set((text ?? '').split(','))].filter((name) => offered.has(name))
  return named.length === 0 ? null : named
}

/**
 * The address of the list that a form of it asks for: filters without a value are left out, a field,
 * a comparison and a value become one parameter, and columns one text. Null: no form sent these.
 */
export function addressOfForm(model: ModelName, parameters: URLSearchParams): URLSearchParams | null {
  if (!parameters.has(sent.filter) && !parameters.has(sent.columns)) return null
  const address = new URLSearchParams()
  const { filters } = presentations[model] as { readonly filters: ReadonlyArray<string> }
  const own: ReadonlySet<string> = new Set([...Object.values(sent), columnsParameter, 'offset'])
  for (const [name, value] of parameters) {
    const isBlankFilter = parameters.has(sent.filter) && filters.includes(name) && value === ''
    if (!own.has(name) && !isBlankFilter) address.append(name, value)
  }
  const field = parameters.get(sent.field) ?? ''
  if (Object.hasOwn(listFields(model), field)) {
    const lookup = parameters.get(sent.lookup) ?? ''
    const value = parameters.get(sent.value) ?? ''
    address.append(lookup === '' ? field : `${field}__${lookup}`, lookup === 'empty' && value === '' ? 'true' : value)
  }
  const columns = namedColumns(registry[model], parameters.getAll(columnsParameter).join(','))
  if (columns !== null && parameters.get(sent.columns) !== 'default') address.set(columnsParameter, columns.join(','))
  return address
}
