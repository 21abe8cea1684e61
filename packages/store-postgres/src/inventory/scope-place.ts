import type { Scope } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'

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

/**
 * Takes the lock of a scope until the end of the transaction. All who write rows or counters of a scope hold it: counters are recomputed by reading rows, and two
 * who did so at once would each miss the other's.
 */
export function lockScope(place: ScopePlace): RawBuilder<unknown> {
  const { serverId, resource, datastoreName, namespace, jobType } = place
  const key = JSON.stringify([resource, serverId, datastoreName, namespace, jobType])
  return sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`
}
