import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Stream } from 'effect'
import { type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { pageSize, pages } from '../database/pages.ts'

/** Rows of one table under a condition, and its column with the names: the next one of its primary key. */
interface NamingRows {
  readonly table: 'groups' | 'namespaces'
  readonly column: 'datastore_name' | 'namespace'
  readonly where: RawBuilder<unknown>
}

/**
 * The different names in some tables, in order, once each. The primary key is asked for the next
 * name, again and again: reading all groups to find a few names would cost a run more the larger the
 * fleet is.
 */
export function namesInUse(
  database: Database['Type'],
  label: string,
  tables: ReadonlyArray<NamingRows>,
): Stream.Stream<string, StoreFailed> {
  const next = (after: RawBuilder<unknown> | null) =>
    sql`least(${sql.join(
      tables.map(({ table, column, where }) => {
        const name = sql.ref(column)
        const further = after === null ? sql`` : sql`and ${name} > ${after}`
        return sql`(select ${name} from ${sql.table(table)} where ${where} ${further} order by ${name} limit 1)`
      }),
    )})`
  return pages<{ readonly name: string }>((after) =>
    database.query(label, async (db) => {
      const { rows } = await sql<{ readonly name: string }>`
        with recursive names (name) as (
          select ${next(after === null ? null : sql`${after.name}`)}
          union all
          select ${next(sql.ref('names.name'))} from names where names.name is not null)
        select name from names where name is not null limit ${pageSize}`.execute(db)
      return rows
    }),
  ).pipe(Stream.map(({ name }) => name))
}
