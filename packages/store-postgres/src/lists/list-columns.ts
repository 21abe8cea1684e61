import { type ModelName, registry } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { fieldOf, observationTable, ownReadings, sqlType, tables } from '../inventory/columns.ts'

/** Tables that a list joins to its own, beside it under these aliases: `v` the server, `o` the observations, `c` the row's scope. */
export type Joined = 'v' | 'o' | 'c'

/** Where the values of a field come from. */
export interface ListColumn {
  readonly value: RawBuilder<unknown>
  /** The tables the value needs beside the model's own, which is `t`. */
  readonly needs: ReadonlyArray<Joined>
}

const own = (name: string): ListColumn => ({ value: sql.ref(`t.${name}`), needs: [] })

/**
 * When a row was last seen: a listed one by the last complete list of its scope, any other by its own note. A server has its own last contact.
 */
const lastSeen = (model: ModelName): ListColumn =>
  model === 'server'
    ? { value: sql`o.last_seen_at`, needs: ['o'] }
    : {
        value: sql`case when t.presence = 'listed' then c.last_complete_at else t.last_seen_own end`,
        needs: ['c'],
      }

/** The name of the row's server; its own for a server. */
export const serverName = (model: ModelName): ListColumn =>
  model === 'server' ? own('name') : { value: sql`v.name`, needs: ['v'] }

/** The column of a field of the model, or of `id`, `created`, `last_updated`; undefined: there is none. */
export function listColumn(model: ModelName, name: string): ListColumn | undefined {
  if (name === 'id' || name === 'created' || name === 'last_updated') return own(name)
  const field = fieldOf(model, name)
  if (field === undefined) return undefined
  if (name === 'last_seen_at') return lastSeen(model)
  if (name === 'files') return { value: sql`t.manifest_files || t.other_files`, needs: [] }
  if (field.type === 'reference') return own(`${name}_id`)
  const inRow = field.class !== 'observation' || ownReadings(model).some((column) => column.field === name)
  return !inRow ? { value: observed(model, name), needs: ['o'] } : own(name)
}

/** A row that was never observed reads as the column's default. */
function observed(model: ModelName, name: string): RawBuilder<unknown> {
  const field = fieldOf(model, name)
  const value = sql.ref(`o.${name}`)
  return field !== undefined && 'default' in field && field.default !== undefined
    ? sql`coalesce(${value}, ${field.default}::${sql.raw(sqlType(field))})`
    : value
}

/** What a row is served with: every field of the registry, and what each model has. */
export function servedColumns(model: ModelName): ReadonlyArray<readonly [name: string, column: ListColumn]> {
  const fields = Object.keys(registry[model].fields).flatMap((name) => {
    const column = listColumn(model, name)
    return column === undefined ? [] : [[name, column] as const]
  })
  return [
    ['id', own('id')],
    ['serverName', serverName(model)],
    ...fields,
    ...['tags', 'custom_fields', 'created', 'last_updated'].map((name) => [name, own(name)] as const),
  ]
}

/** `from` of a list with the joins that its columns need. */
export function listFrom(model: ModelName, columns: Iterable<ListColumn>): RawBuilder<unknown> {
  const needs = new Set([...columns].flatMap((column) => column.needs))
  const joins = [...needs].map((alias) => sql` ${join(model, alias)}`)
  return sql`from ${sql.table(tables[model])} t${sql.join(joins, sql``)}`
}

function join(model: ModelName, alias: Joined): RawBuilder<unknown> {
  if (alias === 'v') return sql`join servers v on v.id = t.server_id`
  if (alias === 'c') return sql`left join scopes c on c.server_id = t.server_id and ${ofScope(model)}`
  const observation = observationTable(model)
  if (observation === null) throw new Error(`${model} has no observations`)
  const { table, id } = observation
  const server = model === 'server' ? sql`` : sql` and o.server_id = t.server_id`
  return sql`left join ${sql.table(table)} o on ${sql.ref(`o.${id}`)} = t.id${server}`
}

/** The rest of the condition that finds a row's scope. */
function ofScope(model: ModelName): RawBuilder<unknown> {
  switch (model) {
    case 'server':
    case 'task':
      return sql`false`
    case 'datastore':
      return sql`c.resource = 'datastores'`
    case 'namespace':
      return sql`c.resource = 'namespaces' and c.datastore_name = t.datastore_name`
    case 'group':
    case 'snapshot':
      return sql`c.resource = 'snapshots' and c.datastore_name = t.datastore_name and c.namespace = t.namespace`
    case 'job':
      return sql`c.resource = 'jobs' and c.job_type = t.job_type`
  }
}
