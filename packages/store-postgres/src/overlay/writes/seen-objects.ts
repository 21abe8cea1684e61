import { type FieldValues, type ModelName, seenRow } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { branchTable, mergedColumns, valuesOf } from '../../branches/branch-columns.ts'
import type { Tables } from '../../database/tables.ts'
import { sameKey, tables } from '../../tables/columns.ts'

/** An object as a user in a branch finds it. */
export interface SeenObject {
  readonly row: FieldValues
  /** Main's row as it is now; null: only the branch has it. */
  readonly main: FieldValues | null
  /** The branch's entry for it; null: none yet. */
  readonly entry: {
    readonly op: 'create' | 'update'
    readonly touched: ReadonlyArray<string>
    readonly base: FieldValues
    readonly row: FieldValues
  } | null
  /** Its `last_updated` as lists of the branch show it, RFC 3339. */
  readonly version: string
}

interface Found {
  readonly id: number
  readonly op: 'create' | 'update' | 'delete' | null
  readonly touched: ReadonlyArray<string>
  readonly base: FieldValues
  readonly main_id: number | null
  readonly hidden: boolean
  readonly version: string
  readonly [column: string]: unknown
}

/** Objects of a branch by their ids; those that the branch does not show are left out. */
export async function seenObjects(
  db: Kysely<Tables>,
  { branch, model }: { readonly branch: number; readonly model: ModelName },
  ids: ReadonlyArray<number>,
): Promise<ReadonlyMap<number, SeenObject>> {
  const sideColumns = (alias: string) =>
    sql.join(
      mergedColumns(model).map(
        ({ field, name }) => sql`${sql.ref(`${alias}.${name}`)} as ${sql.id(`${alias}_${field}`)}`,
      ),
    )
  const { rows } = await sql<Found>`
    select x.id, e.op, e.touched, e.base, m.id as main_id, (${isHidden(branch, model)}) as hidden,
      greatest(m.last_updated, e.last_updated) as version, ${sideColumns('e')}, ${sideColumns('m')}
    from unnest(${ids}::bigint[]) as x (id)
    left join ${branchTable(model)} e on e.branch_id = ${branch}::bigint and e.id = x.id
    left join ${sql.table(tables[model])} m on m.id = x.id`.execute(db)
  return new Map(
    rows.flatMap((found) => {
      const object = objectOf(model, found)
      return object === null ? [] : [[found.id, object] as const]
    }),
  )
}

/** The object in the branch; null: the branch has none. */
function objectOf(model: ModelName, found: Found): SeenObject | null {
  if (found.hidden || found.op === 'delete') return null
  const { version } = found
  const main = found.main_id === null ? null : valuesOf(model, 'm', found)
  if (found.op === null) return main === null ? null : { row: main, main, entry: null, version }
  const { op, touched, base } = found
  const row = valuesOf(model, 'e', found)
  const entry = { op, touched, base, row }
  if (op === 'create') return { row, main: null, entry, version }
  const branchSide = Object.fromEntries(touched.map((name) => [name, row[name] ?? null]))
  return { row: seenRow({ model, base, main, branch: branchSide, whole: row }) ?? row, main, entry, version }
}

/**
 * A row of main is not visible below a server that the branch deletes, unless the branch moves it
 * away, nor where the branch has created its key without touching the row.
 */
function isHidden(branch: number, model: ModelName): RawBuilder<unknown> {
  const shadowed = sql`m.id is not null and e.id is null and exists (
    select from ${branchTable(model)} c where c.branch_id = ${branch}::bigint and c.op = 'create' and ${sameKey(model, 'c', 'm')}
  )`
  if (model === 'server') return shadowed
  return sql`(${shadowed}) or exists (
    select from branch_servers d where d.branch_id = ${branch}::bigint and d.op = 'delete'
      and d.id = case when e.op = 'create' or 'server' = any(e.touched) or m.id is null then e.server_id else m.server_id end
  )`
}
