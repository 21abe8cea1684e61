import {
  type AttachedValues,
  destinationOf,
  type GroupTimes,
  movedMessage,
  sameValue,
  takenOver,
} from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { columnNames, keyColumns, sameKey, tables } from '../tables/columns.ts'
import { changeRows } from './change-rows.ts'
import { detachedHash, detachedKey, detachedKeyOf } from './detached-values.ts'
import { judgeGroups } from './judge-groups.ts'
import type { GroupKey } from './recount.ts'
import type { Writer } from './writer.ts'

const groupKey = keyColumns('group')

/** A group that is listed elsewhere on the server of one that left its place. */
interface FoundGroup extends GroupKey, GroupTimes {
  /** The number of the group that left. */
  readonly nth: number
  readonly left_created: number
  readonly left_times: ReadonlyArray<number>
}

interface Move {
  readonly from: GroupKey
  readonly to: GroupKey
}

/** Groups compared at a time. */
const batchSize = 200

/** The models whose attached values move with a group. */
const moving = ['group', 'snapshot'] as const

type Moving = (typeof moving)[number]

const ofMoving = (alias: string): RawBuilder<unknown> => sql`${sql.ref(`${alias}.model`)} in ('group', 'snapshot')`

/**
 * Gives what people attached to groups that left their place, and to their snapshots, to the groups
 * into which they moved. Call it when a part has landed, with the locks of its scopes; it looks at
 * the groups that the part has taken away or given snapshots to, and costs one small query where
 * nothing attached waits.
 */
export async function followMovedGroups(
  { db, writer }: { readonly db: Kysely<Tables>; readonly writer: Writer },
  part: number,
): Promise<void> {
  const { rows: waiting } = await sql`select from detached_values d where ${ofMoving('d')} limit 1`.execute(db)
  if (waiting.length === 0) return
  await noteLeft(db, part)
  const left = await leftGroups(db, part)
  for (let at = 0; at < left.length; at += batchSize) {
    const moves = await movesOf(db, left.slice(at, at + batchSize))
    if (moves.length > 0) await moveAttached(db, moves, writer)
  }
}

/** The keys of the groups that a part deletes, or deletes snapshots of. */
export function deletedFrom(part: number): RawBuilder<unknown> {
  const key = columnNames(groupKey, 'w')
  const deletions = sql`w.part_id = ${part}::bigint and w.op = 'delete'`
  return sql`select ${key} from staged_snapshots w where ${deletions} union select ${key} from staged_groups w where ${deletions}`
}

/** Whether the rows of `detached_values` under an alias are of the group whose key another alias has. */
const ofGroup = (alias: string, group: string): RawBuilder<unknown> => {
  const at = (name: string) => sql.ref(`${group}.${name}`)
  const row = (name: string) => sql.ref(`${alias}.${name}`)
  return sql`${row('server_id')} = ${at('server_id')} and ${ofMoving(alias)}
    and ${row('datastore_name')} = ${at('datastore_name')} and ${row('namespace')} = ${at('namespace')}
    and ${detachedKey('group', alias, 'backup_type')} = ${at('backup_type')} collate "C"
    and ${detachedKey('group', alias, 'backup_id')} = ${at('backup_id')} collate "C"`
}

/** A time as whole microseconds since 1970. */
const micros = (time: RawBuilder<unknown>): RawBuilder<unknown> => sql`(extract(epoch from ${time}) * 1000000)::bigint`

/**
 * Notes by what the groups that this transaction has deleted, and of which something attached is
 * kept, can be found elsewhere. The log has their snapshots, which went with them.
 */
async function noteLeft(db: Kysely<Tables>, part: number): Promise<void> {
  const members = groupKey.map(({ field, name }) =>
    name === 'server_id' ? sql`c.server_id` : sql`c.before ->> ${sql.lit(field)} as ${sql.id(name)}`,
  )
  const key = detachedKeyOf('group', ({ name }) => sql.ref(`x.${name}`))
  // Put together by an aggregate: the planner does not know how many there are, and would join each
  // with each.
  await sql`
    with lost as materialized (
      select k.* from (${deletedFrom(part)}) k
      where not exists (select from groups g where ${sameKey('group', 'g', 'k')})
        and exists (select from detached_values d where ${ofGroup('d', 'k')})
    ), gone as (
      select ${sql.join(members)}, ${micros(sql`(c.before ->> 'backup_time')::timestamptz`)} as time,
        case when c.model = 'group' then ${micros(sql`(c.before ->> 'created')::timestamptz`)} end as created
      from changes c
      where exists (select from lost) and c.time >= now() and c.action = 'delete' and c.model in ('group', 'snapshot')
    ), left_groups as (
      select ${columnNames(groupKey, 'x')}, jsonb_agg(x.time) filter (where x.time is not null) as times, max(x.created) as created
      from (
        select ${columnNames(groupKey, 'g')}, g.time, g.created, false as is_lost from gone g
        union all select ${columnNames(groupKey, 'l')}, null, null, true from lost l
      ) x
      group by ${columnNames(groupKey, 'x')} having bool_or(x.is_lost)
    )
    insert into detached_values as d (server_id, model, datastore_name, namespace, hash, key, tags, custom_fields, times, row_created)
    select x.server_id, 'group', x.datastore_name, x.namespace, ${detachedHash(sql`k.key`)}, k.key, '[]', '{}', x.times, x.created
    from left_groups x cross join lateral (select ${key} as key) k
    where x.times is not null and x.created is not null
    on conflict (server_id, model, datastore_name, namespace, job_type, hash)
    do update set times = excluded.times, row_created = excluded.row_created`.execute(db)
}

/** The groups that left their place, among those of a type and an id that the part deletes, or creates snapshots of. */
async function leftGroups(db: Kysely<Tables>, part: number): Promise<ReadonlyArray<GroupKey>> {
  const touched = (table: string, op: RawBuilder<unknown>) =>
    sql`select w.server_id, w.backup_type, w.backup_id from ${sql.table(table)} w where w.part_id = ${part}::bigint and w.op ${op}`
  const { rows } = await sql<GroupKey>`
    select d.server_id, d.datastore_name, d.namespace, t.backup_type, t.backup_id
    from (${touched('staged_snapshots', sql`in ('create', 'delete')`)} union ${touched('staged_groups', sql`= 'delete'`)}) t
    join detached_values d on d.times is not null and d.model = 'group' and d.server_id = t.server_id
      and ${detachedKey('group', 'd', 'backup_type')} = t.backup_type collate "C" and ${detachedKey('group', 'd', 'backup_id')} = t.backup_id collate "C"
    order by 1, 2, 3, 4, 5`.execute(db)
  return rows
}

/** Rows of a query over values of the program. */
const recordset = (values: unknown, columns: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`jsonb_to_recordset(${jsonb(values)}) as r (${columns})`

const keyOfRecord = sql.join(groupKey.map(({ name, type }) => sql`${sql.id(name)} ${sql.raw(type)}`))

/** Where the groups have moved, as far as they have. */
async function movesOf(db: Kysely<Tables>, left: ReadonlyArray<GroupKey>): Promise<ReadonlyArray<Move>> {
  const { rows } = await sql<FoundGroup>`
    select r.nth, d.times as left_times, d.row_created as left_created, ${columnNames(groupKey, 'g')},
      ${micros(sql`g.created`)} as created, t.times
    from ${recordset(
      left.map((key, nth) => ({ ...key, nth })),
      sql`nth integer, ${keyOfRecord}`,
    )}
    join detached_values d on ${ofGroup('d', 'r')} and d.model = 'group' and d.times is not null
    join groups g on g.server_id = r.server_id and g.backup_type = r.backup_type and g.backup_id = r.backup_id and g.presence = 'listed'
      and (g.datastore_name, g.namespace) is distinct from (r.datastore_name, r.namespace)
    cross join lateral (
      select jsonb_agg(${micros(sql`s.backup_time`)}) as times from snapshots s where ${sameKey('group', 's', 'g')} and s.presence = 'listed'
    ) t
    where t.times is not null order by r.nth, ${columnNames(groupKey, 'g')}`.execute(db)
  const byLeft = new Map<number, [FoundGroup, ...Array<FoundGroup>]>()
  for (const row of rows) {
    const found = byLeft.get(row.nth)
    if (found === undefined) byLeft.set(row.nth, [row])
    else found.push(row)
  }
  return left.flatMap((from, nth) => {
    const found = byLeft.get(nth)
    if (found === undefined) return []
    const [{ left_created: created, left_times: times }] = found
    const to = destinationOf({ created, times }, found)
    return to === null ? [] : [{ from, to: keyIn(to) }]
  })
}

/** The key alone of a group. */
const keyIn = ({ server_id, datastore_name, namespace, backup_type, backup_id }: GroupKey): GroupKey => ({
  server_id,
  datastore_name,
  namespace,
  backup_type,
  backup_id,
})

/** What was attached to a row of a group that moved, with the key of the row in its new place. */
interface MovedValues extends AttachedValues {
  readonly model: Moving
  readonly key: GroupKey & { readonly backup_time?: string }
  readonly message: string
}

/** Moves what waits for the return of groups, and of their snapshots, to the rows of their new places. */
async function moveAttached(db: Kysely<Tables>, moves: ReadonlyArray<Move>, writer: Writer): Promise<void> {
  const { rows } = await sql<AttachedValues & { readonly nth: number; readonly model: Moving; readonly time: string }>`
    delete from detached_values d using ${recordset(
      moves.map(({ from }, nth) => ({ ...from, nth })),
      sql`nth integer, ${keyOfRecord}`,
    )}
    where ${ofGroup('d', 'r')}
    returning r.nth, d.model, ${detachedKey('snapshot', 'd', 'backup_time')} as time, d.tags, d.custom_fields`.execute(
    db,
  )
  const moved = rows.flatMap(({ nth, model, time, tags, custom_fields }): ReadonlyArray<MovedValues> => {
    const move = moves[nth]
    if (move === undefined) return []
    const key = model === 'snapshot' ? { ...move.to, backup_time: time } : move.to
    return [{ model, key, tags, custom_fields, message: movedMessage(move.from, move.to) }]
  })
  for (const model of moving)
    await giveAttached(
      db,
      model,
      moved.filter((one) => one.model === model),
      writer,
    )
}

/** Gives attached values to rows of main; those of rows that main lacks wait under the new key. */
async function giveAttached(
  db: Kysely<Tables>,
  model: Moving,
  moved: ReadonlyArray<MovedValues>,
  { origin }: Writer,
): Promise<void> {
  if (moved.length === 0) return
  const columns = keyColumns(model).map(({ name, type }) => sql`${sql.id(name)} ${sql.raw(type)}`)
  const { rows } = await sql<AttachedValues & { readonly nth: number; readonly id: number }>`
    select r.nth, m.id, m.tags, m.custom_fields from ${recordset(
      moved.map(({ key }, nth) => ({ ...key, nth })),
      sql`nth integer, ${sql.join(columns)}`,
    )}
    join ${sql.table(tables[model])} m on ${sameKey(model, 'm', 'r')} order by m.id, r.nth for update of m`.execute(db)
  const given = new Map<number, AttachedValues & { readonly message: string }>()
  for (const { nth, id, tags, custom_fields } of rows) {
    const values = moved[nth]
    if (values === undefined) continue
    const own = given.get(id) ?? { tags, custom_fields }
    given.set(id, { ...takenOver(own, values), message: values.message })
  }
  const before = new Map(rows.map((row) => [row.id, row]))
  const changed = [...given].filter(([id, { tags, custom_fields }]) => {
    const own = before.get(id)
    return own === undefined || !sameValue(own.tags, tags) || !sameValue(own.custom_fields, custom_fields)
  })
  await changeRows(db, model, {
    rows: changed.map(([id, { tags, custom_fields }]) => ({ id, values: { tags, custom_fields } })),
    origin,
  })
  const ids = changed.map(([id]) => id)
  if (model === 'group') await judgeGroups(db, sql`g.id = any(${ids}::bigint[])`)
  await logMoves(
    db,
    model,
    changed.map(([id, { message }]) => ({ id, message })),
  )
  const found = new Set(rows.map(({ nth }) => nth))
  await keepForLater(
    db,
    model,
    moved.filter((_, nth) => !found.has(nth)),
  )
}

/** Says in the entries that this transaction has just logged where the values came from. */
async function logMoves(
  db: Kysely<Tables>,
  model: Moving,
  messages: ReadonlyArray<{ readonly id: number; readonly message: string }>,
): Promise<void> {
  if (messages.length === 0) return
  await sql`
    with entry as materialized (
      select r.message, (select max(x.id) from changes x where x.model = ${model} and x.object_id = r.id and x.action = 'update') as id
      from ${recordset(messages, sql`id bigint, message text`)}
    )
    update changes c set message = e.message from entry e where c.id = e.id and c.time >= now()`.execute(db)
}

/** Keeps attached values for rows of a new place that its source does not list yet. */
async function keepForLater(db: Kysely<Tables>, model: Moving, moved: ReadonlyArray<MovedValues>): Promise<void> {
  const waiting = moved.filter(({ tags, custom_fields }) => tags.length > 0 || Object.keys(custom_fields).length > 0)
  if (waiting.length === 0) return
  const key = detachedKeyOf(model, ({ field }) => sql`r.key -> ${sql.lit(field)}`)
  await sql`
    insert into detached_values as d (server_id, model, datastore_name, namespace, hash, key, tags, custom_fields)
    select (r.key ->> 'server_id')::bigint, ${model}, r.key ->> 'datastore_name', r.key ->> 'namespace', ${detachedHash(sql`k.key`)}, k.key, r.tags, r.custom_fields
    from ${recordset(waiting, sql`key jsonb, tags jsonb, custom_fields jsonb`)} cross join lateral (select ${key} as key) k
    on conflict (server_id, model, datastore_name, namespace, job_type, hash)
    do update set tags = excluded.tags, custom_fields = excluded.custom_fields, since = now()`.execute(db)
}
