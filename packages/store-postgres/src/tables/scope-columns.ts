import { type ScopeField, type ScopeResource, scopes } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'

/** The column of each field that may identify a scope, in every table with rows of scopes. */
export const scopeColumns = {
  server: 'server_id',
  datastore: 'datastore_name',
  namespace: 'namespace',
  job_type: 'job_type',
} as const satisfies Readonly<Record<ScopeField, string>>

/** A column that may identify a scope. */
export type ScopeColumn = (typeof scopeColumns)[ScopeField]

/** The columns that say in which scope of a resource a row lies. */
export const columnsOf = (resource: ScopeResource): ReadonlyArray<ScopeColumn> =>
  scopes[resource].by.map((field) => scopeColumns[field])

/** Whether the rows of two aliases lie in one scope of a resource. */
export function sameScope(resource: ScopeResource, left: string, right: string): RawBuilder<boolean> {
  const same = columnsOf(resource).map(
    (column) => sql`${sql.ref(`${left}.${column}`)} = ${sql.ref(`${right}.${column}`)}`,
  )
  return same.length === 0 ? sql<boolean>`true` : sql<boolean>`${sql.join(same, sql` and `)}`
}
