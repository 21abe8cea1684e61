import { type ModelName, registryVersion } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { type Window, yieldToEventLoop } from '../change-sets/parts.ts'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { inScope, type ScopePlace } from '../scopes/scope-place.ts'
import { type Column, columnNames, factColumns, keyColumns, ofJson, sameKey, tables } from '../tables/columns.ts'
import { branchTable, differ, entryOf, mergedColumns } from './branch-columns.ts'
import { seenVersion } from './stale-entries.ts'
import { groupsOfWritten } from './stale-groups.ts'
import { isRetained } from './waiting-groups.ts'

/** Where rows are staged, and the change set and the scope that they come from. */
export interface Target {
  readonly branch: number
  readonly place: ScopePlace
  readonly changeSet: number
  readonly model: ModelName
}

const stagedTable = (model: ModelName): RawBuilder<unknown> => sql.table(`staged_${tables[model]}`)

/**
 * Maximum number of entries in one statement: the embedded engine serves no one else during a
 * statement. A server takes all of them at once.
 */
const sliceSize = { pglite: 5000, pg: null } as const

/** The columns that a statement returns of the entries that its step `written` writes. */
const entryKey = (model: ModelName): RawBuilder<unknown> => sql`e.id, e.op, ${columnNames(keyColumns(model), 'e')}`

/**
 * The step of a statement after `written`: the groups of the snapshots that it wrote are to be
 * counted again. An entry that stays as it is costs no count.
 */
const marked = ({ branch, model, place }: Target): RawBuilder<unknown> =>
  model === 'snapshot' ? sql`, marked as (${groupsOfWritten(branch, place)})` : sql``

/**
 * Takes out of a branch what a scope's new part neither changes nor retains, all of the scope when
 * there is no part. Returns of how many objects.
 */
export async function dropUnstaged(
  { db, engine }: { readonly db: Kysely<Tables>; readonly engine: Database['Type']['engine'] },
  target: Target,
  { part, retains }: Kept,
): Promise<number> {
  const limit = sliceSize[engine]
  let dropped = 0
  for (let after = 0; ; ) {
    const upTo = limit === null ? null : await endOfSlice(db, target, { after, limit })
    if (limit !== null && upTo === null) return dropped
    dropped += await dropSlice(db, target, { part, retains, after, upTo })
    if (upTo === null) return dropped
    after = upTo
    await yieldToEventLoop(engine)
  }
}

/** The highest id of the next entries of a scope; null: there are none. */
async function endOfSlice(
  db: Kysely<Tables>,
  { branch, model, place }: Target,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<number | null> {
  const { rows } = await sql<{ id: number | null }>`
    select max(id) as id from (
      select id from ${branchTable(model)}
      where branch_id = ${branch}::bigint and id > ${after}::bigint and ${inScope(place)} order by id limit ${limit}
    ) slice`.execute(db)
  return rows[0]?.id ?? null
}

/** The changes that stay in a branch: those of a part, and with `retains` those of the groups that it retains. */
interface Kept {
  readonly part: number | null
  readonly retains: boolean
}

interface Slice extends Kept {
  readonly after: number
  /** Null: to the last. */
  readonly upTo: number | null
}

/**
 * Two statements, because a creation is known by its key and any other entry by its id: each is one
 * hashed look-up. The planner knows neither how many entries a branch has nor how many rows are
 * staged, and might compare each with each; so nested loops are off for these statements.
 */
async function dropSlice(db: Kysely<Tables>, target: Target, { part, retains, after, upTo }: Slice): Promise<number> {
  const { branch, model, place } = target
  const retained = retains ? sql`and not ${isRetained(part)}` : sql``
  const to = upTo === null ? sql`` : sql`and e.id <= ${upTo}::bigint`
  const staged = sql`select from ${stagedTable(model)} w where w.part_id = ${part}::bigint`
  const drop = async (which: RawBuilder<unknown>): Promise<number> => {
    const { rows } = await sql<{ dropped: number }>`
      with written as (
        delete from ${branchTable(model)} e where e.branch_id = ${branch}::bigint and e.id > ${after}::bigint ${to} and ${inScope(place)} and ${which} ${retained}
        returning ${entryKey(model)}
      )${marked(target)}
      select count(*) as dropped from written`.execute(db)
    return rows[0]?.dropped ?? 0
  }
  await sql`set local enable_nestloop = off`.execute(db)
  const creations = await drop(
    sql`e.op = 'create' and not exists (${staged} and w.op = 'create' and ${sameKey(model, 'w', 'e')})`,
  )
  const others = await drop(sql`e.op <> 'create' and not exists (${staged} and w.op <> 'create' and w.id = e.id)`)
  await sql`set local enable_nestloop to default`.execute(db)
  return creations + others
}

/**
 * Stages a window's creations. A new one takes its id from main's sequence; one that the branch has
 * already keeps the id it took, and is written only when it says something else: an upsert would
 * lock each entry that it then leaves alone.
 */
export async function stageCreates(db: Kysely<Tables>, target: Target, window: Window): Promise<number> {
  const { branch, model } = target
  const facts = factColumns(model)
  const key = keyColumns(model)
  // A lateral, so that each row is looked up by its key however few entries the planner believes the branch to have.
  const { rows } = await sql<{ staged: number }>`
    with s as materialized (
      select distinct on (${columnNames(key, 'w')}) w.* from ${stagedTable(model)} w where ${window.rows} and w.op = 'create'
      order by ${columnNames(key, 'w')}, w.seq desc
    ), changed as materialized (
      select s.*, e.id as entry from s left join lateral (
        select e.* from ${branchTable(model)} e
        where e.branch_id = ${branch}::bigint and e.op <> 'delete' and e.op = 'create' and ${sameKey(model, 'e', 's')} offset 0
      ) e on true where e.id is null or ${differ(facts, 'e', 's')}
    ), written as (
      insert into ${branchTable(model)} as e (branch_id, id, op, registry_version, ${columnNames(facts)})
      select ${branch}::bigint, coalesce(s.entry, nextval(pg_get_serial_sequence(${tables[model]}, 'id'))), 'create', ${registryVersion}::bigint,
        ${columnNames(facts, 's')}
      from changed s
      on conflict (branch_id, id) do update set ${assign(facts, 'excluded')}
      returning ${entryKey(model)}
    )${marked(target)}
    select count(*) as staged from s`.execute(db)
  return rows[0]?.staged ?? 0
}

/**
 * Stages a window's updates, of which those that the branch has already are not written. The base
 * of a field that the branch has touched before stays what it was.
 */
export async function stageUpdates(db: Kysely<Tables>, target: Target, window: Window): Promise<number> {
  const { branch, model, changeSet } = target
  const columns = mergedColumns(model)
  const facts = new Set(factColumns(model).map(({ field }) => field))
  const values = columns.map(({ field, name }) =>
    facts.has(field)
      ? sql`case when ${field}::text = any(s.touched) then ${sql.ref(`s.${name}`)} else ${sql.ref(`m.${name}`)} end as ${sql.id(name)}`
      : sql.ref(`m.${name}`),
  )
  const firstBase = sql`(
    select coalesce(jsonb_object_agg(b.key, b.value), '{}') from jsonb_each(e.base) b where b.key = any(excluded.touched)
  )`
  const { rows } = await sql<{ staged: number }>`
    with s as materialized (
      select distinct on (w.id) w.* from ${stagedTable(model)} w where ${window.rows} and w.op = 'update' order by w.id, w.seq desc
    ), n as materialized (
      select s.id, s.touched, s.base, ${seenVersion(changeSet)} as seen_version, ${sql.join(values)}
      from s join ${sql.table(tables[model])} m on m.id = s.id
    ), changed as materialized (
      select n.* from n left join lateral ${entryOf(branch, model, sql`n.id`)} on true
      where e.id is null or e.op <> 'update' or e.touched <> n.touched or ${differ(columns, 'e', 'n')}
    ), written as (
      insert into ${branchTable(model)} as e (branch_id, id, op, registry_version, touched, base, seen_version, ${columnNames(columns)})
      select ${branch}::bigint, n.id, 'update', ${registryVersion}::bigint, n.touched, n.base, n.seen_version, ${columnNames(columns, 'n')} from changed n
      on conflict (branch_id, id) do update
      set op = 'update', touched = excluded.touched, base = excluded.base || ${firstBase}, ${stillSeen}, ${assign(columns, 'excluded')}
      returning ${entryKey(model)}
    )${marked(target)}
    select count(*) as staged from s`.execute(db)
  return rows[0]?.staged ?? 0
}

/** An entry keeps its first base; once main has changed since, the two are compared whenever it matters. */
const stillSeen = sql`seen_version = case when e.seen_version = excluded.seen_version then e.seen_version end`

const kept: ReadonlyArray<Column> = [
  { field: 'presence', name: 'presence', type: 'text' },
  { field: 'last_seen_own', name: 'last_seen_own', type: 'timestamptz' },
]

/**
 * Stages a window's deletions, with the rows as they are; of a field that the branch has touched
 * before, as it first found it.
 */
export async function stageDeletes(db: Kysely<Tables>, target: Target, window: Window): Promise<number> {
  const { branch, model } = target
  // The reporter of the row and the time it was last seen are restored with it when the deletion is
  // reverted.
  const columns = [...mergedColumns(model), ...kept]
  const first = columns.map((column) => {
    const { field, name } = column
    const was = ofJson(sql`e.base`, column)
    return sql`${sql.id(name)} = case when e.base ? ${field}::text then ${was} else ${sql.ref(`excluded.${name}`)} end`
  })
  const { rows } = await sql<{ staged: number }>`
    with s as materialized (
      select distinct w.id from ${stagedTable(model)} w where ${window.rows} and w.op in ('delete', 'hold')
    ), written as (
      insert into ${branchTable(model)} as e (branch_id, id, op, registry_version, seen_version, ${columnNames(columns)})
      select ${branch}::bigint, m.id, 'delete', ${registryVersion}::bigint, m.xmin, ${columnNames(columns, 'm')}
      from s join ${sql.table(tables[model])} m on m.id = s.id left join lateral ${entryOf(branch, model, sql`s.id`)} on true
      where e.op is distinct from 'delete'
      on conflict (branch_id, id) do update set op = 'delete', touched = '{}', base = '{}', ${stillSeen}, ${sql.join(first)}
      returning ${entryKey(model)}
    )${marked(target)}
    select count(*) as staged from s`.execute(db)
  return rows[0]?.staged ?? 0
}

const assign = (columns: ReadonlyArray<Column>, from: string): RawBuilder<unknown> =>
  sql.join(columns.map(({ name }) => sql`${sql.id(name)} = ${sql.ref(`${from}.${name}`)}`))
