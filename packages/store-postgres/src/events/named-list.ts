import type { NamedListRequest, Page } from '@netbox-pbs/core/ports'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'

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
  { limit, offset }: NamedListRequest,
): Promise<Page<Row>> {
  const matching = conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`
  const { rows: all } = await sql<{ count: number }>`
    select count(*) as count from (${select} ${matching}) found`.execute(db)
  const { rows } = await sql<Row>`
    ${select} ${matching} order by t.name, t.id limit ${limit}::bigint offset ${offset}::bigint`.execute(db)
  return { count: all[0]?.count ?? 0, rows }
}
