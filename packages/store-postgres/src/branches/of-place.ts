import { type RawBuilder, sql } from 'kysely'
import type { ScopePlace } from '../scopes/scope-place.ts'

/** Whether the entry `e` belongs to the scope that lies at a place. */
export function ofPlace({ serverId, resource, datastoreName, namespace, jobType }: ScopePlace): RawBuilder<unknown> {
  const server = sql`e.server_id = ${serverId}::bigint`
  switch (resource) {
    case 'servers':
      return sql`true`
    case 'datastores':
      return server
    case 'namespaces':
      return sql`${server} and e.datastore_name = ${datastoreName}`
    case 'snapshots':
      return sql`${server} and e.datastore_name = ${datastoreName} and e.namespace = ${namespace}`
    case 'jobs':
      return sql`${server} and e.job_type = ${jobType}`
    case 'tasks':
      // Tasks land at once, whatever else waits.
      return sql`false`
  }
}
