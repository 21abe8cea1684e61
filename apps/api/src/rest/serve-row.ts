import { choiceFor, type Field, type ModelName, modelNames, type Presentation, registry } from '@netbox-pbs/core'
import { pageUrl, rowUrl } from './links.ts'
import { display, type Row } from './row.ts'

/** A row as REST answers it, with the fields that were asked for. Links start with `base`. */
export function serveRow(
  model: ModelName,
  row: Row,
  { base, presentation }: { readonly base: string; readonly presentation: Presentation },
): Readonly<Record<string, unknown>> {
  const shown = shownFields(model, presentation)
  return Object.fromEntries(
    Object.entries(servedFields[model]).flatMap(([name, serve]) => (shown(name) ? [[name, serve(row, base)]] : [])),
  )
}

type ServedField = (row: Row, base: string) => unknown

/** What each field of an answer is made of, in the order of the answer. */
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

function shownFields(model: ModelName, { fields, omit, brief }: Presentation): (name: string) => boolean {
  if (fields !== null) return (name) => fields.includes(name)
  if (omit !== null) return (name) => !omit.includes(name)
  if (!brief) return () => true
  const names: ReadonlyArray<string> = ['id', 'url', 'display', ...registry[model].brief]
  return (name) => names.includes(name)
}
