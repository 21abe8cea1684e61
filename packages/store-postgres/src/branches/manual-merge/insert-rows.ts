import type { ModelName } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { appendChanges, created, type Origin } from '../../change-log/append-changes.ts'
import { unlessTaken } from '../../change-sets/land-creates.ts'
import { jsonb } from '../../database/json.ts'
import type { Tables } from '../../database/tables.ts'
import {
  columnNames,
  defaultValue,
  fieldOf,
  keyColumns,
  observationTable,
  observedColumns,
  sqlType,
  tables,
} from '../../tables/columns.ts'
import type { GroupKey } from '../../writes/touch-groups.ts'
import { branchTable, mergedColumns } from '../branch-columns.ts'

/** Entries of a branch that become rows of main. */
export interface InsertRequest {
  readonly branch: number
  readonly model: ModelName
  readonly ids: ReadonlyArray<number>
  readonly origin: Origin
  /** The time from which a row that is created as missing counts as missing, RFC 3339. */
  readonly at: string
  /** The rows get new ids and are the user's own, because main has lost the original rows. */
  readonly asNewRow: boolean
}

/**
 * Inserts the rows of entries with their initial observations and a log entry each. Returns the
 * entries whose server exists and whose key was free. Usually all keys are free, and a look-up for
 * taken ones would cost half the time again.
 */
export async function insertRows(db: Kysely<Tables>, making: InsertRequest): Promise<ReadonlySet<number>> {
  const made =
    (await unlessTaken(db, () => makingRows(making, sql``).execute(db))) ??
    (await makingRows(making, sql`on conflict (${columnNames(keyColumns(making.model))}) do nothing`).execute(db))
  return new Set(made.rows.map(({ entry }) => entry))
}

/** The statement that inserts them. */
function makingRows(
  { branch, model, ids, origin, at, asNewRow }: InsertRequest,
  onConflict: RawBuilder<unknown>,
): RawBuilder<{ readonly entry: number }> {
  const columns = mergedColumns(model)
  const id = asNewRow ? sql`nextval(pg_get_serial_sequence(${tables[model]}, 'id'))` : sql`e.id`
  const presence = asNewRow ? sql`'manual'::text` : sql`e.presence`
  return sql<{ readonly entry: number }>`
    with given as materialized (
      select ${id} as new_id, ${presence} as new_presence, e.* from ${branchTable(model)} e
      where e.branch_id = ${branch}::bigint and e.id = any(${ids}::bigint[])${hasServer(model)} order by e.id
    ), written as (
      insert into ${sql.table(tables[model])} as m (id, ${columnNames(columns)}, presence, last_seen_own, missing_since)
      select new_id, ${columnNames(columns)}, new_presence, last_seen_own, case when new_presence in ('absent', 'missing') then ${at}::timestamptz end from given
      ${onConflict} returning ${created(model, 'm')}
    ), logged as (${appendChanges('written', 'create', model, { origin })})${initialObservations(model)}
    select given.id as entry from given join written on written.id = given.new_id`
}

const hasServer = (model: ModelName): RawBuilder<unknown> =>
  model === 'server' ? sql`` : sql` and exists (select from servers v where v.id = e.server_id)`

/** The step that inserts the initial observations of new rows. */
function initialObservations(model: ModelName): RawBuilder<unknown> {
  const observation = observationTable(model)
  if (observation === null) return sql``
  const observed = observedColumns(model)
  const row = model === 'server' ? ['server_id'] : ['server_id', observation.id]
  const ids = model === 'server' ? sql`given.new_id` : sql`given.server_id, given.new_id`
  return sql`, observed as (
    insert into ${sql.table(observation.table)} (${sql.join([...row, ...observed.map(({ name }) => name)].map((name) => sql.id(name)))})
    select ${ids}, ${sql.join(observed.map(({ field }) => initialObservation(model, field)))} from given join written on written.id = given.new_id
  )`
}

function initialObservation(model: ModelName, name: string): RawBuilder<unknown> {
  const field = fieldOf(model, name)
  const type = sql.raw(field === undefined ? 'text' : sqlType(field))
  const reading = sql`(given.observation ->> ${name}::text)::${type}`
  const otherwise = defaultValue(model, name)
  return otherwise === null ? reading : sql`coalesce(${reading}, (${jsonb(otherwise)} #>> '{}')::${type})`
}

/** The ids of a branch's creations of a model, a page of them. */
export async function creationIds(
  db: Kysely<Tables>,
  {
    branch,
    model,
    after,
    limit,
  }: Pick<InsertRequest, 'branch' | 'model'> & { readonly after: number; readonly limit: number },
): Promise<ReadonlyArray<number>> {
  const { rows } = await sql<{ id: number }>`
    select e.id from ${branchTable(model)} e
    where e.branch_id = ${branch}::bigint and e.op = 'create' and e.id > ${after}::bigint order by e.id limit ${limit}`.execute(
    db,
  )
  return rows.map(({ id }) => id)
}

/** The groups that entries of snapshots or groups lie in, each once. */
export async function groupsOfEntries(
  db: Kysely<Tables>,
  { branch, model }: Pick<InsertRequest, 'branch' | 'model'>,
  ids: ReadonlyArray<number>,
): Promise<ReadonlyArray<GroupKey>> {
  const { rows } = await sql<GroupKey>`
    select distinct ${columnNames(keyColumns('group'), 'e')} from ${branchTable(model)} e
    where e.branch_id = ${branch}::bigint and e.id = any(${ids}::bigint[])`.execute(db)
  return rows
}
