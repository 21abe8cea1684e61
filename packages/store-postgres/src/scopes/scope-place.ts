import type { Scope } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { jsonb } from '../database/json.ts'

/** Where a scope lies in the tables: its server by id (null: the scope of the servers) and the columns that narrow it. */
export interface ScopePlace {
  readonly serverId: number | null
  readonly resource: Scope['resource']
  readonly datastoreName: string
  readonly namespace: string
  readonly jobType: string
}

/** The place of a scope whose server has this id. */
export function scopePlace(scope: Scope, serverId: number | null): ScopePlace {
  return {
    serverId,
    resource: scope.resource,
    datastoreName: 'datastore' in scope ? scope.datastore : '',
    namespace: 'namespace' in scope ? scope.namespace : '',
    jobType: 'job_type' in scope ? scope.job_type : '',
  }
}

/**
 * The identity of a place as one text: equal places, equal keys. It knows the server by its id, so a rename of the server leaves it as it is. Migrations make the same text in
 * SQL: it must stay.
 */
export const placeKey = ({ resource, serverId, datastoreName, namespace, jobType }: ScopePlace): string =>
  JSON.stringify([resource, serverId, datastoreName, namespace, jobType])

/** The condition that finds the scope's row in `scopes`. */
export function isScopeRow(place: ScopePlace): RawBuilder<boolean> {
  const { serverId, resource, datastoreName, namespace, jobType } = place
  const ofServer = serverId === null ? sql`server_id is null` : sql`server_id = ${serverId}::bigint`
  return sql<boolean>`${ofServer} and resource = ${resource}
    and datastore_name = ${datastoreName} and namespace = ${namespace} and job_type = ${jobType}`
}

/** The condition that finds the scope's rows in the table of its model. */
export function inScope({ serverId, resource, datastoreName, namespace, jobType }: ScopePlace): RawBuilder<boolean> {
  switch (resource) {
    case 'servers':
      return sql<boolean>`true`
    case 'datastores':
    case 'tasks':
      return sql<boolean>`server_id = ${serverId}::bigint`
    case 'namespaces':
      return sql<boolean>`server_id = ${serverId}::bigint and datastore_name = ${datastoreName}`
    case 'snapshots':
      return sql<boolean>`server_id = ${serverId}::bigint and datastore_name = ${datastoreName} and namespace = ${namespace}`
    case 'jobs':
      return sql<boolean>`server_id = ${serverId}::bigint and job_type = ${jobType}`
  }
}

/** Places as the rows of a query, under the names of the columns of `scopes`. */
export const placeRows = (places: ReadonlyArray<ScopePlace>): RawBuilder<unknown> => sql`
  select "serverId" as server_id, resource, "datastoreName" as datastore_name, namespace, "jobType" as job_type
  from jsonb_to_recordset(${jsonb(places)}) as p ("serverId" bigint, resource text, "datastoreName" text, namespace text, "jobType" text)`

/** Whether any row of the scope of a row `alias`, which has the columns of `scopes`, is absent. */
export function hasAbsent(alias: string): RawBuilder<boolean> {
  const same = (column: string) => sql`x.${sql.id(column)} = ${sql.ref(`${alias}.${column}`)}`
  const absent = (table: string, ...columns: ReadonlyArray<RawBuilder<unknown>>) =>
    sql`exists (select from ${sql.table(table)} x where ${sql.join([same('server_id'), ...columns], sql` and `)} and x.presence = 'absent')`
  const store = same('datastore_name')
  return sql<boolean>`case ${sql.ref(`${alias}.resource`)}
    when 'datastores' then ${absent('datastores')}
    when 'namespaces' then ${absent('namespaces', store)}
    when 'snapshots' then ${absent('groups', store, same('namespace'))}
    when 'jobs' then ${absent('jobs', same('job_type'))}
    else false end`
}

/** Whether row `c` of `scopes` is that of the place in a row `p`. */
export const isPlaceOf = sql<boolean>`c.server_id is not distinct from p.server_id and c.resource = p.resource
  and c.datastore_name = p.datastore_name and c.namespace = p.namespace and c.job_type = p.job_type`
