import type { ModelName } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import {
  appendChanges,
  changedMembers,
  created,
  deletedRow,
  identity,
  membersOf,
  type Origin,
} from '../change-log/append-changes.ts'
import { isUniqueViolation } from '../database/store-errors.ts'
import type { Tables } from '../database/tables.ts'
import { verificationPlaceOf } from '../lists/list-columns.ts'
import { type Column, columnNames, keyColumns, tables } from '../tables/columns.ts'
import { deleteServers, leavingServers } from './delete-servers.ts'
import { keepAttached } from './detached-values.ts'
import { insertObservations } from './insert-observations.ts'
import type { Writer } from './writer.ts'

/** A column, and the expression of its value. */
export interface Assignment {
  readonly name: string
  readonly value: RawBuilder<unknown>
}

/** Rows that an author creates, as the parts of a query. */
export interface NewRows {
  readonly model: ModelName
  /** `from …` */
  readonly from: RawBuilder<unknown>
  readonly id: RawBuilder<unknown>
  /** The columns that the author fills, `presence` among them. */
  readonly values: ReadonlyArray<Assignment>
}

/** Rows that are logged one by one. */
export interface LoggedRows extends NewRows {
  /** The identity of the rows, in the order in which they are created. */
  readonly ord: RawBuilder<unknown>
  /** The initial observations, by columns of the model's table of observations. */
  readonly observations: ReadonlyArray<Assignment>
  readonly origin: Origin
}

/** The effect of a taken key: it stops the statement, or its row is left out. */
type TakenKeys = 'stop' | 'leave out'

/** Inserts rows that the log has as one sum, which is the caller's. Returns their number. */
export async function insertRows(
  db: Kysely<Tables>,
  { model, from, id, values }: NewRows,
  taken: TakenKeys,
): Promise<number> {
  const { numAffectedRows } = await sql`
    insert into ${sql.table(tables[model])} (id, ${namesOf(values)})
    select ${id}, ${sql.join(values.map(({ value }) => value))} ${from}${onConflict(model, taken)}`.execute(db)
  return Number(numAffectedRows ?? 0n)
}

/** A row that was to be inserted. */
interface InsertedRow {
  readonly ord: number
  readonly id: number
  /** False: its key was taken. */
  readonly written: boolean
}

/** Inserts rows with their initial observations and a log entry each. Returns all rows in their order. */
export async function insertLoggedRows(
  db: Kysely<Tables>,
  { model, from, id, values, ord, observations, origin }: LoggedRows,
  taken: TakenKeys,
): Promise<ReadonlyArray<InsertedRow>> {
  const given = [
    sql`${ord} as ord`,
    sql`${id} as id`,
    ...values.map(({ name, value }) => sql`${value} as ${sql.id(name)}`),
    ...observations.map(({ name, value }) => sql`${value} as ${sql.id(`o_${name}`)}`),
  ]
  const observed = insertObservations(model, {
    from: sql`from given join written on written.id = given.id`,
    row: 'given',
    values: observations.map(({ name }) => ({ name, value: sql.ref(`given.o_${name}`) })),
    existing: 'none',
  })
  const { rows } = await sql<InsertedRow>`
    with given as materialized (
      select ${sql.join(given)} ${from} order by 1
    ), written as (
      insert into ${sql.table(tables[model])} as m (id, ${namesOf(values)}) select id, ${namesOf(values)} from given order by ord
      ${onConflict(model, taken)} returning ${created(model, 'm')}
    ), logged as (${appendChanges('written', 'create', model, { origin })})${observed === null ? sql`` : sql`, observed as (${observed})`}
    select given.ord, given.id, written.id is not null as written
    from given left join written on written.id = given.id order by given.ord`.execute(db)
  return rows
}

/** Runs a statement that a taken key may stop. Null: it was stopped and changed nothing. */
export async function unlessTaken<A>(db: Kysely<Tables>, statement: () => Promise<A>): Promise<A | null> {
  await sql`savepoint creating`.execute(db)
  let result: A | null = null
  try {
    result = await statement()
  } catch (cause) {
    if (!isUniqueViolation(cause)) throw cause
    await sql`rollback to savepoint creating`.execute(db)
  }
  await sql`release savepoint creating`.execute(db)
  return result
}

const namesOf = (values: ReadonlyArray<Assignment>): RawBuilder<unknown> =>
  sql.join(values.map(({ name }) => sql.id(name)))

const onConflict = (model: ModelName, taken: TakenKeys): RawBuilder<unknown> =>
  taken === 'stop' ? sql`` : sql` on conflict (${columnNames(keyColumns(model))}) do nothing`

/** Rows of main that an author changes, each in fields of its own, as the parts of a query. */
export interface UpdatedRows {
  readonly model: ModelName
  /**
   * Selects the changes, the rows `r`: the `id` of a row of main, each once, and the columns that
   * the other parts read.
   */
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
  const set = sql.join(
    [...touched, ...more, ...erasureOf(model, touched)].map(({ name, value: to }) => sql`${sql.id(name)} = ${to}`),
  )
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

/**
 * Notes of a snapshot that its verification of this place was replaced by one of another place, or
 * by none, as a pull of PBS does with the manifest; a verification of this place ends the note.
 */
function erasureOf(model: ModelName, values: ReadonlyArray<Assignment>): ReadonlyArray<Assignment> {
  if (model !== 'snapshot' || !values.some(({ name }) => name === 'verification_upid')) return []
  const becomes = verificationPlaceOf('m', Object.fromEntries(values.map(({ name, value }) => [name, value])))
  const value = sql`case
    when (m.verification_state, m.verification_upid) is not distinct from (${sql.join(
      ['verification_state', 'verification_upid'].map(
        (name) => values.find((one) => one.name === name)?.value ?? sql.ref(`m.${name}`),
      ),
    )}) then m.verification_erased_at
    else case ${becomes}
      when 'here' then null
      when 'unknown' then m.verification_erased_at
      else case when ${verificationPlaceOf('m')} = 'here' then now() else m.verification_erased_at end
    end end`
  return [{ name: 'verification_erased_at', value }]
}

/** Rows of main that an author deletes. */
interface DeletedRows {
  readonly model: ModelName
  /** The condition that finds the rows `m`. */
  readonly where: RawBuilder<unknown>
  /** Their ids in the order in which the log has them; left out: it has them in any. */
  readonly order?: ReadonlyArray<number>
  readonly writer: Writer
}

/**
 * Deletes rows with an entry in the log for each, servers with all their child rows, which are not
 * counted in the returned number. Hold the locks of their scopes, or of the servers
 * (`Places.deletedServers`); recount the groups of snapshots afterwards.
 */
export async function deleteRows(db: Kysely<Tables>, { model, where, order, writer }: DeletedRows): Promise<number> {
  if (model === 'server') return await deleteServers(db, { servers: await leavingServers(db, where, order), writer })
  const kept = keepAttached(model, 'gone')
  const place = order === undefined ? sql`0` : sql`array_position(${order}::bigint[], m.id)`
  const { rows } = await sql<{ deleted: number }>`
    with gone as (
      delete from ${sql.table(tables[model])} m where ${where}
      returning ${place} as place, ${identity(model, 'm')}, ${deletedRow(model, 'm')} as before, null::jsonb as after, null::jsonb as counts
    ), ordered as (
      select * from gone${order === undefined ? sql`` : sql` order by place`}
    ), logged as (${appendChanges('ordered', 'delete', model, { origin: writer.origin })})${kept === null ? sql`` : sql`, kept as (${kept})`}
    select count(*) as deleted from gone`.execute(db)
  return rows[0]?.deleted ?? 0
}

/** Deletes rows by their ids; the log has them in this order. */
export const deleteRowsById = (
  db: Kysely<Tables>,
  model: ModelName,
  { ids, writer }: { readonly ids: ReadonlyArray<number>; readonly writer: Writer },
): Promise<number> =>
  ids.length === 0
    ? Promise.resolve(0)
    : deleteRows(db, { model, where: sql`m.id = any(${ids}::bigint[])`, order: ids, writer })
