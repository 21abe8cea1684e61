import type { ModelName } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { lockPlaces } from '../scopes/scope-locks.ts'
import type { ScopePlace } from '../scopes/scope-place.ts'

/** A rule that stored values keep, and the statements that look for breaches and mend them. */
export interface Check {
  /** The table and what is checked of it, `groups.counters`. */
  readonly name: string
  /** The table with the stored values. */
  readonly table: string
  /** One sentence. */
  readonly rule: string
  /** Reads the next pieces after a cursor; the first call has none. */
  readonly pieces: ReadPieces
  /** The repair of rows that break the rule; a text: nothing can repair them, and what to do instead. */
  readonly repair: Repair | string
}

/** Rows that one statement compares, so that neither its time nor its memory grows with the table. */
export interface Piece {
  /** The piece in errors: `namespaces of …`. */
  readonly title: string
  /**
   * A query of a row for each compared row: `id`, its name as `title`, the `unit` that a repair
   * locks, and two JSON objects with the same members: `stored`, and `recount` with the values that
   * follow from other rows. A function makes it of what it reads in the same transaction, where core's rules
   * say what follows.
   */
  readonly compared: ComparedRows
}

/** A query of rows to compare, or what makes it. */
export type ComparedRows = RawBuilder<unknown> | ((db: Kysely<Tables>) => Promise<RawBuilder<unknown>>)

/** Some pieces, and the cursor of the next ones; null: these are the last. */
export interface Pieces {
  readonly pieces: ReadonlyArray<Piece>
  readonly next: unknown
}

/** Reads pieces. The cursor is what an earlier call of the same check returned as `next`. */
export type ReadPieces = (db: Kysely<Tables>, engine: Database['Type']['engine'], after: unknown) => Promise<Pieces>

/** The rows that one transaction repairs: those of a scope, or of a branch in a scope. */
export interface Unit extends Partial<ScopePlace> {
  readonly branch?: number
}

/** A row that breaks a rule. */
export interface BrokenRow {
  readonly id: number
  readonly title: string
}

/** How rows of a unit get the values that follow from other rows. */
export interface Repair {
  /** Takes the locks that every writer of these values takes, in the one order. */
  readonly lock: (db: Kysely<Tables>, unit: Unit) => Promise<unknown>
  /** Writes the values, under the locks. */
  readonly write: (db: Kysely<Tables>, unit: Unit, rows: ReadonlyArray<BrokenRow>) => Promise<unknown>
}

/** The place of a unit that is a scope. */
export const placeOfUnit = ({
  resource = 'servers',
  server_id = null,
  datastore_name = '',
  namespace = '',
  job_type = '',
}: Unit): ScopePlace => ({ resource, server_id, datastore_name, namespace, job_type })

/** Locks the scope that a unit is. */
export const lockUnit = (db: Kysely<Tables>, unit: Unit): Promise<unknown> =>
  lockPlaces({ scopes: [placeOfUnit(unit)] }).execute(db)

/** The ids of broken rows as a parameter. */
export const idsOf = (rows: ReadonlyArray<BrokenRow>): RawBuilder<unknown> => sql`${rows.map(({ id }) => id)}::bigint[]`

/** A JSON object of named expressions. */
export const object = (members: Readonly<Record<string, RawBuilder<unknown>>>): RawBuilder<unknown> =>
  sql`jsonb_build_object(${sql.join(Object.entries(members).flatMap(([name, value]) => [sql.lit(name), value]))})`

/** The scope of the snapshots of a namespace as a unit, from a row with the columns of a group's key. */
export const namespaceUnit = (alias: string): RawBuilder<unknown> =>
  object({
    resource: sql.lit('snapshots'),
    server_id: sql.ref(`${alias}.server_id`),
    datastore_name: sql.ref(`${alias}.datastore_name`),
    namespace: sql.ref(`${alias}.namespace`),
  })

/** The name of a row without that of its server, whose id comes first. */
export const titleOf = (alias: string, ...columns: ReadonlyArray<string>): RawBuilder<unknown> =>
  sql`concat_ws('/', ${sql.join(columns.map((column) => sql`nullif(${sql.ref(`${alias}.${column}`)}::text, '')`))})`

/** The name of a group. */
export const groupTitle = (alias: string): RawBuilder<unknown> =>
  titleOf(alias, 'server_id', 'datastore_name', 'namespace', 'backup_type', 'backup_id')

/** The columns that name a row of a model in a title. */
export const titleColumns: Readonly<Record<Exclude<ModelName, 'task'>, ReadonlyArray<string>>> = {
  server: ['name'],
  datastore: ['server_id', 'name'],
  namespace: ['server_id', 'datastore_name', 'path'],
  group: ['server_id', 'datastore_name', 'namespace', 'backup_type', 'backup_id'],
  snapshot: ['server_id', 'datastore_name', 'namespace', 'backup_type', 'backup_id', 'backup_time'],
  job: ['server_id', 'job_type', 'job_id'],
}
