import {
  choiceFor,
  type Field,
  type JsonValue,
  type ModelName,
  modelNames,
  type Presentation,
  registry,
} from '@netbox-pbs/core'
import type { ServedRow } from '@netbox-pbs/core/ports'
import { pageUrl, rowUrl } from './links.ts'
import { shownFields } from './shown-fields.ts'

/** A row whose model is not known statically: the registry has its fields. */
export type Row = Readonly<Record<string, unknown>> & {
  readonly id: number
  readonly serverName: string
  readonly tags: ReadonlyArray<JsonValue>
  readonly custom_fields: { readonly [key: string]: JsonValue }
  readonly created: string
  readonly last_updated: string
}

/** Forgets the model of a served row. */
export const anyRow = <M extends ModelName>(row: ServedRow<M>): Row => row as unknown as Row // border: no index signature fits a row of a known model

/**
 * The id in a path or a form. A text that is no id, or beyond 2^53, becomes 0, which no row has, so
 * that the answer is a 404.
 */
export function rowId(text: string | undefined): number {
  const id = text !== undefined && /^\d+$/.test(text) ? Number(text) : 0
  return Number.isSafeInteger(id) ? id : 0
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
export function serveRow(
  model: ModelName,
  row: Row,
  { base, presentation }: { readonly base: string; readonly presentation: Presentation },
): Readonly<Record<string, unknown>> {
  const isServed = shownFields(presentation, registry[model].brief)
  return Object.fromEntries(
    Object.entries(servedFields[model]).flatMap(([name, serve]) => (isServed(name) ? [[name, serve(row, base)]] : [])),
  )
}

type ServedField = (row: Row, base: string) => unknown

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
    tags: (row) => row.tags,
    custom_fields: (row) => row.custom_fields,
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
