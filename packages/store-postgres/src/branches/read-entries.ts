import { type FieldValue, type ModelName, naturalKey, type Said, type ThreeSides } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { sameKey } from '../change-sets/row-columns.ts'
import { rowTitle } from '../changes/logged-fields.ts'
import type { Tables } from '../database/tables.ts'
import { tables } from '../inventory/columns.ts'
import { branchTable, mergedColumns } from './branch-columns.ts'

/** What a branch changes of one object, beside that object in main. */
export interface Entry {
  readonly id: number
  /** Id of main's row; of a creation that of a row with the same key. Null: main has none. */
  readonly mainId: number | null
  readonly op: 'create' | 'update' | 'delete'
  /** The natural key in words. */
  readonly title: string
  /** Natural key of the row that main has, else of the row of the branch. */
  readonly key: string
  /** Name of its server; null: a server itself, or one whose server main no longer has. */
  readonly server: string | null
  /** Main's row is not yet, or no longer, listed by its source. */
  readonly unlisted: boolean
  readonly sides: ThreeSides
}

/** Which entries of a branch, read in the order of their ids. */
export interface EntryPage {
  readonly branch: number
  readonly model: ModelName
  readonly author: ThreeSides['author']
  readonly after: number
  readonly limit: number
  /** A condition on the entry, which is `e`. */
  readonly where?: RawBuilder<unknown>
  /** Main's rows are locked until the end of the transaction. */
  readonly lock?: boolean
}

interface EntryRecord {
  readonly id: number
  readonly main_id: number | null
  readonly op: Entry['op']
  readonly touched: ReadonlyArray<string>
  readonly base: Said
  readonly title: string
  readonly presence: string | null
  readonly server: string | null
  readonly [column: string]: unknown
}

/** A page of a branch's entries of one model, each with the row of main that it is about. */
export async function readEntries(
  db: Kysely<Tables>,
  { branch, model, author, after, limit, where = sql`true`, lock = false }: EntryPage,
): Promise<ReadonlyArray<Entry>> {
  const columns = mergedColumns(model)
  const beside = (alias: string) =>
    sql.join(columns.map(({ field, name }) => sql`${sql.ref(`${alias}.${name}`)} as ${sql.id(`${alias}_${field}`)}`))
  // The rows to look for in main are few and known: a lateral reads each by its key, whatever the planner expects.
  const { rows } = await sql<EntryRecord>`
    with e as materialized (
      select e.* from ${branchTable(model)} e
      where e.branch_id = ${branch}::bigint and e.id > ${after}::bigint and ${where} order by e.id limit ${limit}
    )
    select e.id, e.op, e.touched, e.base, ${rowTitle(model, 'e')} as title, m.id as main_id, m.presence, ${serverOf(model)} as server, ${beside('e')}, ${beside('m')}
    from e left join lateral (
      select m.* from ${sql.table(tables[model])} m where m.id = e.id and e.op <> 'create'
      union all select m.* from ${sql.table(tables[model])} m where e.op = 'create' and ${sameKey(model, 'm', 'e')}
    ) m on true
    order by e.id`.execute(db)
  if (lock)
    await lockMain(
      db,
      model,
      rows.flatMap(({ main_id }) => (main_id === null ? [] : [main_id])),
    )
  return rows.map((row) => entryOf(model, author, row))
}

const serverOf = (model: ModelName): RawBuilder<unknown> =>
  model === 'server' ? sql`null::text` : sql`(select v.name from servers v where v.id = e.server_id)`

/** Locks rows of main in the order of their ids, so that no two who do so wait for each other. */
async function lockMain(db: Kysely<Tables>, model: ModelName, ids: ReadonlyArray<number>): Promise<void> {
  if (ids.length === 0) return
  await sql`select from ${sql.table(tables[model])} where id = any(${ids}::bigint[]) order by id for update`.execute(db)
}

function entryOf(model: ModelName, author: ThreeSides['author'], record: EntryRecord): Entry {
  const { id, op, touched, base, title, main_id: mainId, presence, server } = record
  const row = valuesOf(model, 'e', record)
  const main = mainId === null ? null : valuesOf(model, 'm', record)
  const sides: ThreeSides = {
    model,
    author,
    main,
    base: op === 'create' ? null : op === 'delete' ? row : pick(base, touched),
    branch: op === 'delete' ? null : op === 'create' ? row : pick(row, touched),
    whole: op === 'delete' ? null : row,
  }
  const unlisted = presence !== null && presence !== 'listed'
  return { id, mainId, op, title, key: naturalKey(model, main ?? row), server, unlisted, sides }
}

function valuesOf(model: ModelName, alias: 'e' | 'm', record: EntryRecord): Said {
  const values: Record<string, FieldValue> = {}
  // The columns are those of the registry, with its types.
  for (const { field } of mergedColumns(model)) values[field] = (record[`${alias}_${field}`] ?? null) as FieldValue
  return values
}

const pick = (of: Said, names: ReadonlyArray<string>): Said =>
  Object.fromEntries(names.map((name) => [name, of[name] ?? null]))
