import type { FilterField, RecordFields, RecordPage, RecordQuery } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { comparison, inAnyCase, needsFolding, patternOf } from './comparison.ts'
import { foldingCollation } from './folding.ts'

/** The values of a list's fields in its statement. */
type Columns<F extends RecordFields> = { readonly [K in keyof F]: RawBuilder<unknown> }

/** A list of records that are no inventory: its fields, their values, its order without terms, and its last key. */
interface RecordList {
  readonly fields: RecordFields
  readonly columns: Readonly<Record<string, RawBuilder<unknown>>>
  /** What a field is ordered by where that is not its value, such as the name of another record. */
  readonly sorted?: Readonly<Record<string, RawBuilder<unknown>>>
  readonly order: RawBuilder<unknown>
  readonly id: RawBuilder<unknown>
}

/** Describes a list; every field has a column. */
export const recordListOf = <F extends RecordFields>(
  fields: F,
  list: Omit<RecordList, 'fields' | 'columns'> & { readonly columns: Columns<F> },
): RecordList => ({ fields, ...list })

const types = {
  text: 'text',
  choice: 'text',
  integer: 'bigint',
  datetime: 'timestamptz',
  boolean: 'boolean',
  uuid: 'uuid',
  reference: 'bigint',
} as const satisfies Record<FilterField['type'], string>

/** The condition of the filters of a list; a field that it lacks matches nothing. */
export async function recordCondition(
  db: Kysely<Tables>,
  { fields, columns }: Pick<RecordList, 'fields' | 'columns'>,
  where: RecordQuery['where'] = [],
): Promise<RawBuilder<unknown>> {
  const folding = where.some(needsFolding) ? await foldingCollation(db) : null
  const conditions = where.map((filter) => {
    const [field, value] = [fields[filter.field], columns[filter.field]]
    return field === undefined || value === undefined
      ? sql`false`
      : comparison({ value, type: types[field.type] }, filter, folding)
  })
  return sql.join([sql`true`, ...conditions], sql` and `)
}

/** What a list is ordered by. */
export function recordOrder(list: RecordList, terms: RecordQuery['order'] = []): RawBuilder<unknown> {
  const keys = terms.flatMap(({ field, descending }) => {
    const column = list.sorted?.[field] ?? list.columns[field]
    return column === undefined ? [] : [sql`${column} ${sql.raw(descending ? 'desc' : 'asc')}`]
  })
  return keys.length === 0 ? list.order : sql.join([...keys, list.id])
}

/** Whether one of the values contains a text, in any case of its letters. */
export async function anyContains(
  db: Kysely<Tables>,
  values: ReadonlyArray<RawBuilder<unknown>>,
  search: string,
): Promise<RawBuilder<unknown>> {
  const folding = await foldingCollation(db)
  const pattern = patternOf('ic', search)
  return sql`(${sql.join(
    values.map((value) => sql`${inAnyCase(value, folding)} ilike ${pattern}`),
    sql` or `,
  )})`
}

/** How a page of a list is read, and whether all of its records are counted. */
interface Slice {
  /** A condition on the records that the page begins with. */
  readonly begin: RawBuilder<unknown>
  readonly order: RawBuilder<unknown>
  readonly limit: RawBuilder<unknown>
  readonly counted: boolean
}

/** How a page is read of a list with this id and this order, which may be the order of ids from the newest. */
export function recordSlice(
  { limit: most, offset, cursor }: RecordPage,
  { id, order, newestFirst = false }: Pick<RecordList, 'id' | 'order'> & { readonly newestFirst?: boolean },
): Slice {
  const limit = sql`limit ${most}::bigint offset ${offset}::bigint`
  if (cursor === undefined) return { begin: sql`true`, order, limit, counted: true }
  if (cursor.at === 'from') return { begin: sql`${id} >= ${cursor.id}::bigint`, order: id, limit, counted: false }
  const beyond = newestFirst ? sql`${id} < ${cursor.id}::bigint` : sql`${id} > ${cursor.id}::bigint`
  return { begin: cursor.id === null ? sql`true` : beyond, order, limit, counted: false }
}

/** How many records `from … where …` finds; null where the page is not counted. */
export async function recordCount(
  db: Kysely<Tables>,
  { counted }: Pick<Slice, 'counted'>,
  found: RawBuilder<unknown>,
): Promise<number | null> {
  if (!counted) return null
  const { rows } = await sql<{ count: number }>`select count(*) as count ${found}`.execute(db)
  return rows[0]?.count ?? 0
}
