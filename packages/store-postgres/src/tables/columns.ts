import {
  everyModelFields,
  type Field,
  type FieldValue,
  fieldsOfClass,
  type ModelName,
  registry,
  type ScopeField,
  type ScopeResource,
  scopes,
} from '@netbox-pbs/core'
import type { SightedModel } from '@netbox-pbs/core/ports'
import { type RawBuilder, sql } from 'kysely'

/** The table of a model. */
export const tables = {
  server: 'servers',
  datastore: 'datastores',
  namespace: 'namespaces',
  group: 'groups',
  snapshot: 'snapshots',
  job: 'jobs',
  task: 'tasks',
} as const satisfies Record<ModelName, string>

/** A column that stores a field. */
export interface Column {
  readonly field: string
  /** Its name in the table: a reference ends in `_id`. */
  readonly name: string
  /** Its type in SQL. */
  readonly type: string
}

const types = {
  text: 'text',
  choice: 'text',
  integer: 'bigint',
  reference: 'bigint',
  boolean: 'boolean',
  datetime: 'timestamptz',
  json: 'jsonb',
} as const satisfies Record<Field['type'], string>

/** A field of the registry, where its name is not known statically. */
export function fieldOf(model: ModelName, name: string): Field | undefined {
  const fields: Readonly<Record<string, Field>> = registry[model].fields
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

/** The type in SQL of a field's values. */
export const sqlType = (field: Field): string => types[field.type]

function columnOf(model: ModelName, name: string): Column {
  const field = fieldOf(model, name)
  if (field === undefined) throw new Error(`${model} has no field ${name}`)
  return { field: name, name: field.type === 'reference' ? `${name}_id` : name, type: sqlType(field) }
}

/** The key columns of a model, in the order of its unique constraint. */
export const keyColumns = (model: ModelName): ReadonlyArray<Column> =>
  registry[model].key.map((name) => columnOf(model, name))

/** The columns that diff compares: immutable and source facts. */
export const comparedColumns = (model: ModelName): ReadonlyArray<Column> =>
  fieldsOfClass(model, 'immutable', 'source').map((name) => columnOf(model, name))

/** The columns that people own and no sync writes, besides tags and custom fields. */
export const operatorColumns = (model: ModelName): ReadonlyArray<Column> =>
  fieldsOfClass(model, 'operator').map((name) => columnOf(model, name))

/** The operator's columns, which the rows of every model have. */
const everyModelColumns: ReadonlyArray<Column> = Object.keys(everyModelFields).map((name) => ({
  field: name,
  name,
  type: 'jsonb',
}))

/** The columns of a row that users may change: its facts, and the operator's. */
export const editedColumns = (model: ModelName): ReadonlyArray<Column> => [
  ...factColumns(model),
  ...operatorColumns(model),
  ...everyModelColumns,
]

const factColumnsByModel = new Map<ModelName, ReadonlyArray<Column>>()

/**
 * Key and compared columns: all that a source reports of a row. Computed once per model, because
 * every row needs them.
 */
export function factColumns(model: ModelName): ReadonlyArray<Column> {
  const known = factColumnsByModel.get(model)
  if (known !== undefined) return known
  const columns = [...keyColumns(model), ...comparedColumns(model)]
  factColumnsByModel.set(model, columns)
  return columns
}

/** Columns of the model's observation table; `last_seen_at` only where it is the row's own. */
export const observedColumns = (model: ModelName): ReadonlyArray<Column> =>
  fieldsOfClass(model, 'observation')
    .filter((name) => model === 'server' || name !== 'last_seen_at')
    .map((name) => columnOf(model, name))

/** Observations that are stored in the row itself: those of tasks, which have one each. */
export const ownObservations = (model: ModelName): ReadonlyArray<Column> =>
  model === 'task' ? observedColumns(model) : []

/**
 * Models whose rows a source may omit without notice: one list without such a row does not delete
 * it.
 */
export const isSighted = (model: ModelName): model is SightedModel =>
  model === 'datastore' || model === 'namespace' || model === 'group' || model === 'job'

/** The observation table of a model, and the column that names its row; null: it has none. */
export const observationTable = (model: ModelName): { readonly table: string; readonly id: string } | null =>
  model === 'server' || model === 'datastore' || model === 'job'
    ? { table: `${model}_observations`, id: `${model}_id` }
    : null

/** Columns of `job_observations` that say how a job does. No source reports them. */
export const judgedColumns = [
  { name: 'health', type: 'text' },
  { name: 'health_since', type: 'timestamptz' },
  { name: 'due_at', type: 'timestamptz' },
  { name: 'missed_runs', type: 'bigint' },
  { name: 'failed_runs', type: 'bigint' },
  { name: 'first_error', type: 'text' },
  { name: 'last_good_run', type: 'timestamptz' },
  { name: 'schedule_seen', type: 'text' },
  { name: 'schedule_since', type: 'timestamptz' },
] as const

/** Columns of `datastore_observations` that say whether it will be full. No source reports them. */
export const forecastColumns = [
  { name: 'forecast', type: 'text' },
  { name: 'growth_per_day', type: 'bigint' },
  { name: 'full_at', type: 'timestamptz' },
  { name: 'full_soonest_at', type: 'timestamptz' },
  { name: 'full_latest_at', type: 'timestamptz' },
] as const

/** The default value of a field. */
export function defaultValue(model: ModelName, name: string): FieldValue {
  const field = fieldOf(model, name)
  if (field === undefined || !('default' in field)) return field?.nullable === true || field === undefined ? null : ''
  // The registry types a JSON default as unknown; it is plain JSON.
  return (field.default ?? null) as FieldValue
}

/** A field's value from a JSON object, as its column holds it. */
export const ofJson = (json: RawBuilder<unknown>, { field, type }: Column): RawBuilder<unknown> =>
  type === 'jsonb'
    ? sql`nullif(${json} -> ${field}::text, 'null')`
    : sql`(${json} ->> ${field}::text)::${sql.raw(type)}`

/** Columns by name, of the row of an alias when it is given. */
export const columnNames = (columns: ReadonlyArray<Column>, alias?: string): RawBuilder<unknown> =>
  sql.join(columns.map(({ name }) => (alias === undefined ? sql.id(name) : sql.ref(`${alias}.${name}`))))

/** Whether the rows of two aliases have one key. */
export const sameKey = (model: ModelName, a: string, b: string): RawBuilder<unknown> =>
  sql.join(
    keyColumns(model).map(({ name }) => sql`${sql.ref(`${a}.${name}`)} = ${sql.ref(`${b}.${name}`)}`),
    sql` and `,
  )

/** The column of each field that may identify a scope, in every table with rows of scopes. */
export const scopeColumns = {
  server: 'server_id',
  datastore: 'datastore_name',
  namespace: 'namespace',
  job_type: 'job_type',
} as const satisfies Readonly<Record<ScopeField, string>>

/** A column that may identify a scope. */
export type ScopeColumn = (typeof scopeColumns)[ScopeField]

/** The columns that identify the scope of a row. */
export const scopeColumnsOf = (resource: ScopeResource): ReadonlyArray<ScopeColumn> =>
  scopes[resource].by.map((field) => scopeColumns[field])

/** Whether the rows of two aliases are in one scope of a resource. */
export function sameScope(resource: ScopeResource, left: string, right: string): RawBuilder<boolean> {
  const same = scopeColumnsOf(resource).map(
    (column) => sql`${sql.ref(`${left}.${column}`)} = ${sql.ref(`${right}.${column}`)}`,
  )
  return same.length === 0 ? sql<boolean>`true` : sql<boolean>`${sql.join(same, sql` and `)}`
}
