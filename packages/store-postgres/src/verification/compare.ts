import { type Kysely, type RawBuilder, sql } from 'kysely'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import type { BrokenRow, ComparedRows, Piece, Unit } from './check.ts'

/** A field of a row whose stored value is not the one that follows from other rows. */
export interface Difference {
  readonly id: number
  /** The name of the row, with the id of its server or branch first. */
  readonly title: string
  readonly field: string
  readonly stored: unknown
  readonly recount: unknown
}

/** Differences that are told of one check. */
export const toldDifferences = 10

/** The result of one piece. */
export interface Compared {
  /** Rows that were compared. */
  readonly rows: number
  /** Rows that differ in any field. */
  readonly different: number
  /** The first of them, field by field. */
  readonly first: ReadonlyArray<Difference>
  readonly units: ReadonlyArray<Unit>
}

/** Compares the rows of a piece in one statement. */
export async function comparePiece(db: Kysely<Tables>, { compared }: Piece): Promise<Compared> {
  const { rows } = await sql<Compared>`
    with c as materialized (${await queryOf(db, compared)}), d as materialized (select * from c where c.stored <> c.recount)
    select (select count(*) from c) as rows, (select count(*) from d) as different,
      (select coalesce(jsonb_agg(distinct d.unit), '[]') from d) as units,
      (select coalesce(jsonb_agg(to_jsonb(f) order by f.id, f.title, f.field), '[]') from (
        select d.id, d.title, m.key as field, m.value as stored, d.recount -> m.key as recount
        from d cross join lateral jsonb_each(d.stored) m where m.value <> d.recount -> m.key
        order by d.id, d.title, m.key limit ${toldDifferences}
      ) f) as first`.execute(db)
  return rows[0] ?? { rows: 0, different: 0, first: [], units: [] }
}

/** The rows of a piece and a unit that differ. */
export async function brokenRows(
  db: Kysely<Tables>,
  { compared }: Piece,
  unit: Unit,
): Promise<ReadonlyArray<BrokenRow>> {
  const { rows } = await sql<BrokenRow>`
    with c as materialized (${await queryOf(db, compared)})
    select c.id, c.title from c where c.stored <> c.recount and c.unit = ${unitValue(unit)} order by c.id, c.title`.execute(
    db,
  )
  return rows
}

const queryOf = async (db: Kysely<Tables>, compared: ComparedRows): Promise<RawBuilder<unknown>> =>
  typeof compared === 'function' ? await compared(db) : compared

const unitValue = (unit: Unit): RawBuilder<unknown> => sql`${jsonb(unit)}`
