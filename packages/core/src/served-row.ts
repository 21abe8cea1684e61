import { choiceFor } from './choices.ts'
import { type Attached, type AttachedValues, servedCustomFields, servedTags } from './definitions/attached.ts'
import type { Presentation } from './query/page-request.ts'
import type { Field, ModelName } from './registry/field.ts'
import { modelNames, registry } from './registry/registry.ts'

/** The path of the inventory's REST endpoints. */
export const apiRoot = '/api/plugins/pbs/'

/** The first page; it is the root of all pages. */
export const pageRoot = '/plugins/pbs/'

/** Path of a model's list in REST. */
export const listPath = (model: ModelName): string => `${apiRoot}${registry[model].path}/`

/** Address of a row in REST. */
export const rowUrl = (base: string, model: ModelName, id: number): string => `${base}${listPath(model)}${id}/`

/** Address of a row's page. */
export const pageUrl = (base: string, model: ModelName, id: number): string =>
  `${base}${pageRoot}${registry[model].path}/${id}/`

/** A row whose model is not known statically: the registry has its fields. */
export type Row = Readonly<Record<string, unknown>> &
  AttachedValues & {
    readonly id: number
    readonly serverName: string
    readonly created: string
    readonly last_updated: string
  }

/** The name of a row, in REST's `display` and on pages. Types and times are written as PBS writes them. */
export function display(model: ModelName, row: Row): string {
  switch (model) {
    case 'server':
      return `${row['name']}`
    case 'datastore':
      return `${row['name']} (${row.serverName})`
    case 'namespace':
      return `${row['datastore_name']}/${row['path'] === '' ? '(root)' : row['path']}`
    case 'group':
      return `${row['backup_type']}/${row['backup_id']}`
    case 'snapshot':
      return `${row['backup_type']}/${row['backup_id']}/${String(row['backup_time']).replace(/\.\d+Z$/, 'Z')}`
    case 'job':
      return `${row['job_type']}/${row['job_id']}`
    case 'task':
      return `${row['worker_type']} ${row['worker_id']}`.trim()
  }
}

/** A word as NetBox serves a choice: the value, and its label for people. */
export const choice = <A extends string>(value: A): { readonly value: A; readonly label: string } => ({
  value,
  label: `${value.charAt(0).toUpperCase()}${value.slice(1).replaceAll('_', ' ')}`,
})

/** A row as REST answers it, with the fields that were asked for. Links start with `base`. */
export const serveRow = (model: ModelName, row: Row, serving: Serving): Readonly<Record<string, unknown>> =>
  rowServer(model, serving)(row)

/** The same for many rows that are answered alike. */
export function rowServer(
  model: ModelName,
  { base, presentation, attached }: Serving,
): (row: Row) => Readonly<Record<string, unknown>> {
  const isServed = shownFields(presentation, registry[model].brief)
  const fields = Object.entries(servedFields[model]).filter(([name]) => isServed(name))
  return (row) => {
    const served: Record<string, unknown> = {}
    for (const [name, serve] of fields) served[name] = serve(row, base, attached)
    return served
  }
}

/** The names of the fields that an answer about a row has, in their order. */
export const servedNames = (model: ModelName, presentation: Presentation): ReadonlyArray<string> =>
  Object.keys(servedFields[model]).filter(shownFields(presentation, registry[model].brief))

/** How rows are answered. */
interface Serving {
  readonly base: string
  readonly presentation: Presentation
  /** The definitions of their tags and custom fields. */
  readonly attached: Attached
}

type ServedField = (row: Row, base: string, attached: Attached) => unknown

/** The value of each field of an answer, in the order of the answer. */
const servedFields = Object.fromEntries(modelNames.map((model) => [model, fieldsOf(model)])) as Readonly<
  Record<ModelName, Readonly<Record<string, ServedField>>>
> // border: fromEntries forgets the names

function fieldsOf(model: ModelName): Readonly<Record<string, ServedField>> {
  const columns = Object.entries<Field>(registry[model].fields).filter(([, field]) => !field.internal)
  return {
    id: (row) => row.id,
    url: (row, base) => rowUrl(base, model, row.id),
    display_url: (row, base) => pageUrl(base, model, row.id),
    display: (row) => display(model, row),
    ...Object.fromEntries(
      columns.map(([name, field]): [string, ServedField] => [name, (row, base) => served(field, row[name], row, base)]),
    ),
    tags: servedTags,
    custom_fields: (row, _, attached) => servedCustomFields(row, attached),
    created: (row) => row.created,
    last_updated: (row) => row.last_updated,
  }
}

function served(field: Field, value: unknown, row: Row, base: string): unknown {
  switch (field.type) {
    case 'choice':
      return typeof value === 'string' && value !== '' ? servedChoice(field.choices, value) : null
    case 'reference':
      return typeof value === 'number'
        ? { id: value, url: rowUrl(base, field.model, value), display: row.serverName, name: row.serverName }
        : null
    default:
      return value
  }
}

function servedChoice(choices: Parameters<typeof choiceFor>[0], stored: string) {
  const { value, label } = choiceFor(choices, stored)
  return { value, label }
}

/** Which fields of an object are shown. In brief form: those that every object has so, and `brief`. */
export function shownFields(
  { fields, omit, brief }: Presentation,
  ofBrief: ReadonlyArray<string>,
): (name: string) => boolean {
  if (fields !== null) return (name) => fields.includes(name)
  if (omit !== null) return (name) => !omit.includes(name)
  if (!brief) return () => true
  const names = ['id', 'url', 'display', ...ofBrief]
  return (name) => names.includes(name)
}
