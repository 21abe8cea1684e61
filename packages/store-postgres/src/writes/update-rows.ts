import type { ModelName } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { appendChanges, changedMembers, identity, membersOf, type Origin } from '../change-log/append-changes.ts'
import type { Tables } from '../database/tables.ts'
import { type Column, tables } from '../tables/columns.ts'
import type { Assignment } from './insert-rows.ts'

/** Rows of main that an author changes, each in fields of its own, as the parts of a query. */
export interface UpdatedRows {
  readonly model: ModelName
  /** Selects the changes, the rows `r`: the `id` of a row of main, each once, and what the other parts read. */
  readonly changes: RawBuilder<unknown>
  /** The columns of all fields that a change may touch. */
  readonly columns: ReadonlyArray<Column>
  /** Whether the change `r` touches a field. */
  readonly touches: (field: string) => RawBuilder<unknown>
  /** The value of a touched column in the change `r`. */
  readonly value: (column: Column) => RawBuilder<unknown>
  /** Columns that are always set, `last_updated` among them. Their values may read `m` and `r`. */
  readonly more: ReadonlyArray<Assignment>
  /** Where the log finds the rows as they were: main itself, or a step of the statement. */
  readonly before: { readonly rows: RawBuilder<unknown>; readonly step?: RawBuilder<unknown> }
  /** A further condition on the row `m`; without it every row of the changes is updated. */
  readonly where?: RawBuilder<unknown>
  /** Places the changes `r` in the log; without it their order there is any. */
  readonly order?: RawBuilder<unknown>
  readonly origin: Origin
}

/**
 * Updates rows and returns their number, with an entry in the log for each in which a touched field
 * differs. Fails when a new key is taken.
 */
export async function updateRows(
  db: Kysely<Tables>,
  { model, changes, columns, touches, value, more, before, where, order, origin }: UpdatedRows,
): Promise<number> {
  const main = sql.table(tables[model])
  const touched = columns.map((column) => ({
    name: column.name,
    value: sql`case when ${touches(column.field)} then ${value(column)} else ${sql.ref(`m.${column.name}`)} end`,
  }))
  const set = sql.join([...touched, ...more].map(({ name, value: to }) => sql`${sql.id(name)} = ${to}`))
  const fields = new Set(columns.map(({ field }) => field))
  // The rows as they were are joined: a copy of them in `r` would be wide.
  const { rows } = await sql<{ updated: number }>`
    with r as materialized (${changes})${before.step ?? sql``}, written as (
      update ${main} m set ${set} from r join ${before.rows} o on o.id = r.id
      where m.id = r.id${where === undefined ? sql`` : sql` and ${where}`}
      returning ${order ?? sql`0`} as place, ${identity(model, 'm')}, ${changedMembers(model, fields, { touches, before: 'o', after: 'm' })}
    ), touched as (
      select w.id, w.server_id, w.title, ${membersOf('w.before')} as before, ${membersOf('w.after')} as after, null::jsonb as counts
      from written w where w.before is not null${order === undefined ? sql`` : sql` order by w.place`}
    ), logged as (${appendChanges('touched', 'update', model, { origin })})
    select count(*) as updated from written`.execute(db)
  return rows[0]?.updated ?? 0
}
