import type { Scope } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'

/** Whether the entry `e` belongs to a scope. */
export function ofScope(scope: Scope): RawBuilder<unknown> {
  if (scope.resource === 'servers') return sql`true`
  const server = sql`e.server_id = (select id from servers where name = ${scope.server})`
  switch (scope.resource) {
    case 'datastores':
      return server
    case 'namespaces':
      return sql`${server} and e.datastore_name = ${scope.datastore}`
    case 'snapshots':
      return sql`${server} and e.datastore_name = ${scope.datastore} and e.namespace = ${scope.namespace}`
    case 'jobs':
      return sql`${server} and e.job_type = ${scope.job_type}`
    case 'tasks':
      // Tasks land at once, whatever else waits.
      return sql`false`
  }
}
