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

/** The columns that the name of a row is made of. */
const displayed: Readonly<Record<ModelName, ReadonlyArray<string>>> = {
  server: ['name'],
  datastore: ['name', 'serverName'],
  namespace: ['datastore_name', 'path'],
  group: ['backup_type', 'backup_id'],
  snapshot: ['backup_type', 'backup_id', 'backup_time'],
  job: ['job_type', 'job_id'],
  task: ['worker_type', 'worker_id'],
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
  const fields = fieldsShown(model, presentation)
  return (row) => {
    const served: Record<string, unknown> = {}
    for (const [name, { serve }] of fields) served[name] = serve(row, base, attached)
    return served
  }
}

/** How a row is written as text: what stands before, between and after the fields that are shown, and each of them. */
export interface RowForm {
  readonly before: string
  readonly between: string
  readonly after: string
  readonly text: (name: string, value: unknown) => string
}

/** Values of one field that a writer remembers the text of. */
const mostRemembered = 1000

/** The same for text: no objects are made of most values. It remembers texts, and is for rows that are answered together. */
export function rowWriter(
  model: ModelName,
  { base, presentation, attached }: Serving,
  { before, between, after, text }: RowForm,
): (row: Row) => string {
  const writers = fieldsShown(model, presentation).map(([name, { serve, by }]) => {
    const write = (row: Row) => text(name, serve(row, base, attached))
    return by === undefined ? write : remembering(by, write)
  })
  return (row) => `${before}${writers.map((write) => write(row)).join(between)}${after}`
}

function remembering(by: (row: Row) => unknown, write: (row: Row) => string): (row: Row) => string {
  const known = new Map<unknown, string>()
  return (row) => {
    const same = by(row)
    if (same === null) return write(row)
    const found = known.get(same)
    if (found !== undefined) return found
    const made = write(row)
    if (known.size < mostRemembered) known.set(same, made)
    return made
  }
}

/** The names of the fields that an answer about a row has, in their order. */
export const servedNames = (model: ModelName, presentation: Presentation): ReadonlyArray<string> =>
  fieldsShown(model, presentation).map(([name]) => name)

/** The columns of a row that such an answer is made of. */
export const columnsRead = (model: ModelName, presentation: Presentation): ReadonlySet<string> =>
  new Set(fieldsShown(model, presentation).flatMap(([, { reads }]) => reads))

const fieldsShown = (model: ModelName, presentation: Presentation): ReadonlyArray<readonly [string, ServedField]> => {
  const isShown = shownFields(presentation, registry[model].brief)
  return Object.entries(servedFields[model]).filter(([name]) => isShown(name))
}

/** How rows are answered. */
interface Serving {
  readonly base: string
  readonly presentation: Presentation
  /** The definitions of their tags and custom fields. */
  readonly attached: Attached
}

/** A field of an answer. */
interface ServedField {
  readonly serve: (row: Row, base: string, attached: Attached) => unknown
  /** The columns of a row that it is made of. */
  readonly reads: ReadonlyArray<string>
  /** Of rows that agree in this it is the same; null: that is not known of the row. Left out: of no rows. */
  readonly by?: (row: Row) => unknown
}

/** The fields of an answer, in its order. */
const servedFields = Object.fromEntries(modelNames.map((model) => [model, fieldsOf(model)])) as Readonly<
  Record<ModelName, Readonly<Record<string, ServedField>>>
> // border: fromEntries forgets the names

function fieldsOf(model: ModelName): Readonly<Record<string, ServedField>> {
  const columns = Object.entries<Field>(registry[model].fields).filter(([, field]) => !field.internal)
  return {
    id: { serve: (row) => row.id, reads: ['id'] },
    url: { serve: (row, base) => rowUrl(base, model, row.id), reads: ['id'] },
    display_url: { serve: (row, base) => pageUrl(base, model, row.id), reads: ['id'] },
    display: { serve: (row) => display(model, row), reads: displayed[model] },
    ...Object.fromEntries(columns.map(([name, field]) => [name, servedColumn(name, field)])),
    tags: { serve: servedTags, reads: ['tags'], by: ({ tags }) => (tags.length === 0 ? '' : null) },
    custom_fields: {
      serve: (row, _, attached) => servedCustomFields(row, attached),
      reads: ['custom_fields'],
      by: (row) => (Object.keys(row.custom_fields).length === 0 ? '' : null),
    },
    created: { serve: (row) => row.created, reads: ['created'] },
    last_updated: { serve: (row) => row.last_updated, reads: ['last_updated'] },
  }
}

function servedColumn(name: string, field: Field): ServedField {
  const serve: ServedField['serve'] = (row, base) => served(field, row[name], row, base)
  if (field.type === 'choice') return { serve, reads: [name], by: (row) => row[name] }
  if (field.type !== 'reference') return { serve, reads: [name] }
  return { serve, reads: [name, 'serverName'], by: (row) => `${row[name]} ${row.serverName}` }
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
