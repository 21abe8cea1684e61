import { branchedModels, type ModelName, scopeResourceOf, scopes, scopeTitle } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import type { Summary } from '../change-log/append-changes.ts'
import type { Tables } from '../database/tables.ts'
import { placeKey, placeOf, type ScopePlace } from '../scopes/scope-place.ts'
import { tables } from '../tables/columns.ts'
import { columnsOf, type ScopeColumn } from '../tables/scope-columns.ts'
import type { TouchedScope } from './touched-scopes.ts'

/** A count, with the columns that identify its scope. */
type Created = { readonly rows: number } & Partial<Pick<ScopePlace, ScopeColumn>>

/**
 * The number of rows that a part has created of each model in each scope, for the log. A row that
 * main had already does not count.
 */
export async function createdByScope(
  db: Kysely<Tables>,
  part: number,
  touched: ReadonlyArray<TouchedScope>,
): Promise<ReadonlyArray<Summary>> {
  const counts = new Map<TouchedScope, Partial<Record<ModelName, number>>>()
  for (const model of branchedModels) {
    const resource = scopeResourceOf(model)
    const names = columnsOf(resource).map((name) => sql.ref(`w.${name}`))
    const of = names.length === 0 ? sql`` : sql`, ${sql.join(names)}`
    const { rows } = await sql<Created>`
      select count(*) as rows${of} from ${sql.table(`staged_${tables[model]}`)} w
      where w.part_id = ${part}::bigint and w.op = 'create'
        and (w.id is null or exists (select from ${sql.table(tables[model])} m where m.id = w.id))
      ${names.length === 0 ? sql`having count(*) > 0` : sql`group by ${sql.join(names)}`}`.execute(db)
    for (const created of rows) {
      const key = placeKey(placeOf(resource, created))
      const scope = touched.find(({ place }) => placeKey(place) === key)
      if (scope !== undefined) counts.set(scope, { ...counts.get(scope), [model]: created.rows })
    }
  }
  return [...counts].map(([{ scope, place }, of]) => ({
    model: scopes[scope.resource].lists,
    title: scopeTitle(scope),
    serverId: place.server_id,
    counts: of,
  }))
}
