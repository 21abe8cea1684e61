import { type RawBuilder, sql } from 'kysely'
import { storedColumns } from './covered-scopes.ts'

/**
 * Where the scopes that a branch of a sync covers lie in main, as rows of a query: under the names
 * of the columns of `scopes`, and how it was listed. Those of a server that main no longer has are
 * left out.
 */
export const coveredPlaces = (branch: number): RawBuilder<unknown> => sql`
  select s.scope_key, s.visibility, s.listed, s.listed_at, s.server_id, s.scope ->> 'resource' as resource,
    ${sql.join(storedColumns.map(({ column, value }) => sql`${value} as ${sql.id(column)}`))}
  from branch_scopes s
  where s.branch_id = ${branch}::bigint
    and (s.scope ->> 'resource' = 'servers' or exists (select from servers v where v.id = s.server_id))`
