import {
  branchedModels,
  type FieldValues,
  type ModelName,
  type NaturalKey,
  naturalKey,
  type ThreeSides,
} from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { keyColumns, tables } from '../tables/columns.ts'
import { branchTable, entryTitle, mergedColumns, renamesKey, valuesOf } from './branch-columns.ts'

/** A branch's changes of one object, with that object in main. */
export interface Entry {
  readonly id: number
  /** Id of main's row; of a creation that of a row with the same key. Null: main has none. */
  readonly mainId: number | null
  readonly op: 'create' | 'update' | 'delete'
  /** The natural key in words; empty in a merge, which does not show it. */
  readonly title: string
  /** Natural key of the row that main has, else of the row of the branch. */
  readonly key: NaturalKey
  /** Name of its server, in main or made by the branch; null: a server itself, or one whose server is not there. */
  readonly server: string | null
  /** Id of that server, in main or of the branch's row; null: a server itself. */
  readonly serverId: number | null
  /** The branch deletes the row of main, or gives it another key: of a creation the row that has the key now. */
  readonly vacated: boolean
  /** Of a deleted server how many rows of each model main has gained below it; null: none. */
  readonly gained: Readonly<Record<string, number>> | null
  /** Main's row is not yet, or no longer, listed by its source. */
  readonly unlisted: boolean
  readonly sides: ThreeSides
}

/** Which entries of a branch, read in the order of their ids. */
interface EntryPage {
  readonly branch: number
  readonly model: ModelName
  readonly author: ThreeSides['author']
  readonly after: number
  readonly limit: number
  /** A condition on the entry, which is `e`. */
  readonly where?: RawBuilder<unknown>
  /**
   * For a merge: main's rows are locked until the end of the transaction before they are read, and
   * a server that the branch makes is there only when it has landed.
   */
  readonly lock?: boolean
}

interface EntryRecord {
  readonly id: number
  readonly main_id: number | null
  readonly op: Entry['op']
  readonly touched: ReadonlyArray<string>
  readonly base: FieldValues
  readonly title: string
  readonly presence: string | null
  readonly server: string | null
  readonly server_id: number | null
  readonly vacated: boolean
  readonly gained: Entry['gained']
  readonly [column: string]: unknown
}

/** A page of a branch's entries of one model, each with the row of main that it is about. */
export async function readEntries(db: Kysely<Tables>, page: EntryPage): Promise<ReadonlyArray<Entry>> {
  const { model, author, lock = false } = page
  const sideColumns = (alias: string, server: string) =>
    sql.join(
      mergedColumns(model).map(
        ({ field, name }) =>
          sql`${sql.ref(`${alias}.${name === 'server_id' ? server : name}`)} as ${sql.id(`${alias}_${field}`)}`,
      ),
    )
  // Read before it is locked, a row might be another's by the time it is ours.
  if (lock) await lockMain(db, page)
  const { rows } = await sql<EntryRecord>`
    select e.id, e.op, e.touched, e.base, ${lock ? sql`''` : entryTitle(model)} as title, m.id as main_id, m.presence,
      ${model === 'server' ? sql`null::text` : sql`e.found_server`} as server,
      ${model === 'server' ? sql`null::bigint` : sql`e.found_server_id`} as server_id,
      (${lock ? sql`false` : isVacated(model)}) as vacated,
      ${model === 'server' ? gainedChild() : sql`null::jsonb`} as gained, ${sideColumns('e', 'found_server_id')}, ${sideColumns('m', 'server_id')}
    ${entriesBesideMain(page)} order by e.id`.execute(db)
  return rows.map((row) => entryOf(model, author, row))
}

/**
 * `from` of a page's entries, as `e`, with their rows of main, as `m`. Entries are few, so a lateral
 * reads each row by its key under every plan.
 */
function entriesBesideMain({ branch, model, after, limit, where = sql`true`, lock = false }: EntryPage) {
  const main = sql.table(tables[model])
  const found = model === 'server' ? sql`` : foundServer(lock)
  const key = keyColumns(model).map(
    ({ name }) => sql`${sql.ref(`m.${name}`)} = ${sql.ref(name === 'server_id' ? 'e.found_server_id' : `e.${name}`)}`,
  )
  return sql`
    from (
      select e.*${found} from (
        select e.* from ${branchTable(model)} e
        where e.branch_id = ${branch}::bigint and e.id > ${after}::bigint and ${where} order by e.id limit ${limit}
      ) e
    ) e left join lateral (
      select m.* from ${main} m where m.id = e.id and e.op <> 'create'
      union all select m.* from ${main} m where e.op = 'create' and ${sql.join(key, sql` and `)}
    ) m on true`
}

/**
 * The server of the entry `e`, by name and by its id in main. A server that the branch creates is
 * included unless it is left out; if main has since created it too, main's row counts.
 */
function foundServer(landing: boolean): RawBuilder<unknown> {
  if (landing)
    return sql`, (select v.name from servers v where v.id = e.server_id) as found_server, e.server_id as found_server_id`
  const made = sql`branch_servers s where s.branch_id = e.branch_id and s.id = e.server_id and s.op = 'create'`
  const leftOut = sql`exists (
    select from branch_conflicts c where c.branch_id = s.branch_id and c.model = 'server' and c.object_id = s.id and c.resolution ->> 'choice' = 'skip'
  )`
  const leaving = sql`exists (
    select from branch_servers d where d.branch_id = s.branch_id and d.id = v.id and (d.op = 'delete' or ${renamesKey('server', 'd')})
  )`
  return sql`,
    coalesce((select v.name from servers v where v.id = e.server_id), (select s.name from ${made} and not ${leftOut})) as found_server,
    coalesce(
      (select v.id from (select s.* from ${made}) s join servers v on v.name = s.name where not ${leaving}), e.server_id
    ) as found_server_id`
}

const isVacated = (model: ModelName): RawBuilder<unknown> => sql`e.op = 'create' and exists (
  select from ${branchTable(model)} d where d.branch_id = e.branch_id and d.id = m.id and (d.op = 'delete' or ${renamesKey(model, 'd')})
)`

/** Locks rows of main in the order of their ids, so that two transactions never wait for each other. */
async function lockMain(db: Kysely<Tables>, page: EntryPage): Promise<void> {
  const { rows } = await sql<{ id: number }>`select m.id ${entriesBesideMain(page)} where m.id is not null`.execute(db)
  if (rows.length === 0) return
  const ids = rows.map(({ id }) => id)
  await sql`
    select from ${sql.table(tables[page.model])} where id = any(${ids}::bigint[]) order by id for update`.execute(db)
}

function entryOf(model: ModelName, author: ThreeSides['author'], record: EntryRecord): Entry {
  const {
    id,
    op,
    touched,
    base,
    title,
    main_id: mainId,
    presence,
    server,
    server_id: serverId,
    vacated,
    gained,
  } = record
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
  return {
    id,
    mainId,
    op,
    title,
    key: naturalKey(model, main ?? row),
    server,
    serverId,
    vacated,
    gained,
    unlisted,
    sides,
  }
}

const pick = (of: FieldValues, names: ReadonlyArray<string>): FieldValues =>
  Object.fromEntries(names.map((name) => [name, of[name] ?? null]))

/** The models whose rows go with their server. */
export const childModels: ReadonlyArray<ModelName> = branchedModels.filter((model) => model !== 'server')

/**
 * Of each model the highest id of main's rows below a server, as one JSON object. Ids rise, so what
 * main gains later has a higher one.
 */
export function highestChild(server: RawBuilder<unknown>): RawBuilder<unknown> {
  const highest = childModels.flatMap((model) => [
    sql.lit(model),
    sql`(select coalesce(max(b.id), 0) from ${sql.table(tables[model])} b where b.server_id = ${server})`,
  ])
  return sql`jsonb_build_object(${sql.join(highest)})`
}

/**
 * The number of rows of each model that main has gained below the deleted server of the entry `e`
 * since the branch deleted it; null: none. Rows that another branch has landed since have ids from
 * their staging, so after a merge the time decides.
 */
function gainedChild(): RawBuilder<unknown> {
  const counts = childModels.map(
    (model) => sql`
      select ${sql.lit(model)} as model, count(*) as rows from ${sql.table(tables[model])} b where b.server_id = e.id
        and (b.id > (e.children ->> ${sql.lit(model)})::bigint or late.any and b.created > e.last_updated)`,
  )
  return sql`case when e.op = 'delete' and e.children is not null then (
    select jsonb_object_agg(c.model, c.rows) from (
      select exists (select from branches x where x.status = 'merged' and x.last_updated > e.last_updated) as any
    ) late cross join lateral (${sql.join(counts, sql` union all `)}) c where c.rows > 0
  ) end`
}
