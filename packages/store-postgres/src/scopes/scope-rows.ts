import { type Scope, scopes } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { tables } from '../tables/columns.ts'
import { inScope, type ScopePlace } from './scope-place.ts'

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
