import { type RawBuilder, sql } from 'kysely'
import { columnNames, keyColumns } from '../tables/columns.ts'
import type { ComparedRows, ReadPieces } from './check.ts'

/** Rows of one piece at most: on the embedded engine a statement blocks the process. */
const rowsAtOnce = { pglite: 500, pg: 5000 } as const

/** Groups or namespaces of one piece at most, and about as many snapshots as they may have together. */
const keysAtOnce = { pglite: 200, pg: 1000 } as const
const snapshotsAtOnce = { pglite: 5000, pg: 50_000 } as const

/**
 * The rows of a table in the order of their ids, as many at once as the engine bears or as `size`
 * says. `compare` gets the condition on ids, on its alias `t`.
 */
export const byId =
  (
    table: string,
    compare: (range: RawBuilder<boolean>) => ComparedRows,
    { size: given }: { readonly size?: number } = {},
  ): ReadPieces =>
  async (db, engine, after) => {
    const from = Number(after ?? 0)
    const size = given ?? rowsAtOnce[engine]
    const { rows } = await sql<{ last: number | null; size: number }>`
      select max(id) as last, count(*) as size from (
        select id from ${sql.table(table)} where id > ${from}::bigint order by id limit ${size}
      ) page`.execute(db)
    const { last = null, size: found = 0 } = rows[0] ?? {}
    if (last === null) return { pieces: [], next: null }
    const compared = compare(sql<boolean>`t.id > ${from}::bigint and t.id <= ${last}::bigint`)
    return { pieces: [{ title: `ids ${from + 1} to ${last}`, compared }], next: found < size ? null : last }
  }

/** A condition on the key of rows of an alias. */
export type KeyRange = (alias: string) => RawBuilder<boolean>

type Key = Readonly<Record<string, string | number>>

/**
 * All keys of groups or of namespaces in their order, in ranges that hold about equally many
 * snapshots. The last range has no end, and the first no beginning: rows that should have a group
 * and have none lie in one of them too.
 */
export const byKey =
  (model: 'group' | 'namespace', compare: (range: KeyRange) => RawBuilder<unknown>): ReadPieces =>
  async (db, engine, after) => {
    const columns = keyColumns(model)
    const from = (after ?? null) as Key | null // border: an earlier call returned it
    const table = sql.table(model === 'group' ? 'groups' : 'namespaces')
    const names = (alias: string) => columnNames(columns, alias)
    const values = (key: Key) => sql.join(columns.map(({ name, type }) => sql`${key[name]}::${sql.raw(type)}`))
    const later = (alias: string) =>
      from === null ? sql<boolean>`true` : sql<boolean>`(${names(alias)}) > (${values(from)})`
    const { rows } = await sql<Key>`
      select ${columnNames(columns, 'x')} from (
        select ${columnNames(columns, 'm')}, row_number() over keys as nth, sum(greatest(m.snapshot_count, 0)) over keys as snapshots
        from (select m.* from ${table} m where ${later('m')} order by ${columnNames(columns, 'm')} limit ${keysAtOnce[engine]}) m
        window keys as (order by ${columnNames(columns, 'm')})
      ) x where x.nth = 1 or x.snapshots <= ${snapshotsAtOnce[engine]} order by x.nth desc limit 1`.execute(db)
    const last = rows[0] ?? null
    const range: KeyRange = (alias) =>
      last === null ? later(alias) : sql<boolean>`${later(alias)} and (${names(alias)}) <= (${values(last)})`
    const title = last === null ? 'the last of them' : `up to ${Object.values(last).join('/')}`
    return { pieces: [{ title, compared: compare(range) }], next: last }
  }
