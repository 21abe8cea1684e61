import type { ListedPage, NamedListRequest } from '@netbox-pbs/core/ports'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { recordCount, recordSlice } from '../tables/record-list.ts'

/** The conditions on `t` that a list of named records asks for. */
export function namedConditions({ ids, names, search }: NamedListRequest): ReadonlyArray<RawBuilder<unknown>> {
  return [
    ...(ids === undefined ? [] : [sql`t.id = any(${ids}::bigint[])`]),
    ...(names === undefined ? [] : [sql`t.name = any(${names}::text[])`]),
    ...(search === undefined
      ? []
      : [sql`strpos(lower(t.name || chr(10) || t.description), lower(${search}::text)) > 0`]),
  ]
}

/** A page of the records `t` that conditions find, by name, and how many they find. */
export async function namedPage<Row>(
  db: Kysely<Tables>,
  select: RawBuilder<unknown>,
  conditions: ReadonlyArray<RawBuilder<unknown>>,
  request: NamedListRequest,
): Promise<ListedPage<Row>> {
  const matching = sql`where ${sql.join([sql`true`, ...conditions], sql` and `)}`
  const { begin, order, limit, ...slice } = recordSlice(request, { id: sql`t.id`, order: sql`t.name, t.id` })
  const count = await recordCount(db, slice, sql`from (${select} ${matching}) found`)
  const { rows } = await sql<Row>`${select} ${matching} and ${begin} order by ${order} ${limit}`.execute(db)
  return { count, rows }
}
