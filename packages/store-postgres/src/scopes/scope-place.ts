import {
  branchedModels,
  type ModelName,
  type Scope,
  type ScopeFields,
  type ScopeResource,
  scopeResources,
  scopes,
} from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { isSighted, type ScopeColumn, sameScope, scopeColumns, scopeColumnsOf, tables } from '../tables/columns.ts'

/**
 * The place of a scope in the tables, by the key columns of `scopes`: its server by id (null: the
 * scope of the servers), and the empty text in each column that does not identify it.
 */
export interface ScopePlace {
  readonly resource: ScopeResource
  readonly server_id: number | null
  readonly datastore_name: string
  readonly namespace: string
  readonly job_type: string
}

/** The place of a row's scope, by the columns that identify a scope of the resource. */
export function placeOf(
  resource: ScopeResource,
  row: Readonly<Partial<Record<ScopeColumn, string | number | null>>>,
): ScopePlace {
  const named = Object.fromEntries(scopeColumnsOf(resource).map((column) => [column, row[column] ?? '']))
  return { server_id: null, datastore_name: '', namespace: '', job_type: '', ...named, resource }
}

/** The place of a scope whose server has this id. */
export function scopePlace(scope: Scope, serverId: number | null): ScopePlace {
  const { datastore = '', namespace = '', job_type = '' }: ScopeFields = scope
  return { resource: scope.resource, server_id: serverId, datastore_name: datastore, namespace, job_type }
}

/**
 * The identity of a place as one text: equal places, equal keys, also after a rename of the server,
 * which is in it by id. Migrations make the same text in SQL, so it must not change.
 */
export const placeKey = ({ resource, server_id, datastore_name, namespace, job_type }: ScopePlace): string =>
  JSON.stringify([resource, server_id, datastore_name, namespace, job_type])

/** The condition that finds the scope's row in `scopes`. */
export function isScopeRow({
  resource,
  server_id,
  datastore_name,
  namespace,
  job_type,
}: ScopePlace): RawBuilder<boolean> {
  const ofServer = server_id === null ? sql`server_id is null` : sql`server_id = ${server_id}::bigint`
  return sql<boolean>`${ofServer} and resource = ${resource}
    and datastore_name = ${datastore_name} and namespace = ${namespace} and job_type = ${job_type}`
}

/** The condition that finds the scope's rows in the table of its model, or among the rows of an alias. */
export function inScope(place: ScopePlace, alias?: string): RawBuilder<boolean> {
  const conditions = scopeColumnsOf(place.resource).map((column) => {
    const value = column === 'server_id' ? sql`${place.server_id}::bigint` : sql`${place[column]}`
    return sql`${sql.ref(alias === undefined ? column : `${alias}.${column}`)} = ${value}`
  })
  return conditions.length === 0 ? sql<boolean>`true` : sql<boolean>`${sql.join(conditions, sql` and `)}`
}

/** The columns of the place, without its resource, of the scope of a row `alias`. */
export const placeColumns = (resource: ScopeResource, alias: string): RawBuilder<unknown> =>
  sql.join(
    Object.values(scopeColumns).map((column) => {
      const value = scopeColumnsOf(resource).includes(column) ? sql.ref(`${alias}.${column}`) : sql`''`
      return sql`${value} as ${sql.id(column)}`
    }),
  )

/** Places as the rows of a query, under the names of the columns of `scopes`. */
export const placeRows = (places: ReadonlyArray<ScopePlace>): RawBuilder<unknown> => sql`
  select * from jsonb_to_recordset(${jsonb(places)})
    as p (server_id bigint, resource text, datastore_name text, namespace text, job_type text)`

/** Whether any row of the scope of a row `alias`, which has the columns of `scopes`, is absent. */
export function hasAbsent(alias: string): RawBuilder<boolean> {
  const cases = scopeResources.flatMap((resource) => {
    const model = scopes[resource].models.find(isSighted)
    if (model === undefined) return []
    const rows = sql`select from ${sql.table(tables[model])} x where ${sameScope(resource, 'x', alias)}`
    return [sql`when ${sql.lit(resource)} then exists (${rows} and x.presence = 'absent')`]
  })
  return sql<boolean>`case ${sql.ref(`${alias}.resource`)} ${sql.join(cases, sql` `)} else false end`
}

/** Whether row `c` of `scopes` is that of the place in a row `p`. */
export const isPlaceOf = sql<boolean>`c.server_id is not distinct from p.server_id and c.resource = p.resource
  and c.datastore_name = p.datastore_name and c.namespace = p.namespace and c.job_type = p.job_type`

/** The models whose rows a scope's part may change in a branch, parents first: tasks land at once. */
export const branchedModelsOf = (resource: ScopeResource): ReadonlyArray<ModelName> =>
  scopes[resource].models.filter((model) => branchedModels.includes(model))

/** The id of a scope's server; null: it has none. Undefined: main does not know the server. */
export async function scopeServerId(db: Kysely<Tables>, scope: Scope): Promise<number | null | undefined> {
  if (scope.resource === 'servers') return null
  const { rows } = await sql<{ id: number }>`select id from servers where name = ${scope.server}`.execute(db)
  return rows[0]?.id
}

/**
 * How many rows of a scope are listed or missing, and how many missing. Snapshots are counted by
 * their groups' counters.
 */
export function rowCounts(place: ScopePlace): RawBuilder<{ readonly rows: number; readonly held: number }> {
  // A list of tasks claims no absence: no run may delete one.
  if (place.resource === 'tasks') return sql`select 0::bigint as rows, 0::bigint as held`
  if (place.resource === 'snapshots') {
    return sql`select coalesce(sum(snapshot_count - manual_count), 0)::bigint as rows, coalesce(sum(missing_count), 0)::bigint as held
      from groups where ${inScope(place)}`
  }
  return sql`select count(*) as rows, count(*) filter (where presence = 'missing') as held
    from ${sql.table(tables[scopes[place.resource].lists])} where ${inScope(place)} and presence <> 'manual'`
}
