import type { ModelName } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { appendChanges, created, type Origin } from '../change-log/append-changes.ts'
import { isUniqueViolation } from '../database/store-errors.ts'
import type { Tables } from '../database/tables.ts'
import { columnNames, keyColumns, tables } from '../tables/columns.ts'
import { insertObservations } from './insert-observations.ts'

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
export type TakenKeys = 'stop' | 'leave out'

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
export interface InsertedRow {
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
