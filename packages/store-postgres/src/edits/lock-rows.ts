import { type ModelName, scopeResourceOf } from '@netbox-pbs/core'
import {
  type EditValues,
  type ExpectedVersions,
  RowNotFound,
  ServerGone,
  type VersionChanged,
} from '@netbox-pbs/core/ports'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { TransactionAgain } from '../database/session.ts'
import type { Tables } from '../database/tables.ts'
import { lockPlaces } from '../scopes/scope-locks.ts'
import { placeOf, type ScopePlace } from '../scopes/scope-place.ts'
import { tables } from '../tables/columns.ts'
import { versionChanged } from '../tables/row-version.ts'
import { type GroupKey, groupKeyOf, placesOfGroups } from '../writes/recount.ts'

/** The scopes of rows with these values. */
export function placesOf(model: ModelName, rows: ReadonlyArray<EditValues>): ReadonlyArray<ScopePlace> {
  if (model === 'snapshot' || model === 'group') return placesOfGroups(rows.map(groupKeyOf)).scopes
  return rows.map(({ server, job_type, datastore_name }) =>
    placeOf(scopeResourceOf(model), {
      server_id: Number(server),
      job_type: String(job_type),
      datastore_name: String(datastore_name),
    }),
  )
}

/** The servers of places. */
export const serversOf = (places: ReadonlyArray<ScopePlace>): ReadonlyArray<number> =>
  places.flatMap(({ server_id }) => server_id ?? [])

/**
 * The error of the first row that names a server which no longer exists; null: all servers do. Hold
 * the locks of their scopes: an existing server then stays until the end of the transaction.
 */
export async function serverGone(db: Kysely<Tables>, rows: ReadonlyArray<EditValues>): Promise<ServerGone | null> {
  const ids = new Set(rows.flatMap(({ server }) => (typeof server === 'number' ? [server] : [])))
  if (ids.size === 0) return null
  const { rows: found } = await sql<{ id: number }>`
    select id from servers where id = any(${[...ids]}::bigint[])`.execute(db)
  const there = new Set(found.map(({ id }) => id))
  for (const [index, { server }] of rows.entries())
    if (typeof server === 'number' && !there.has(server)) return new ServerGone({ id: server, index })
  return null
}

/** A row that a request writes. */
export interface RequestedRow {
  readonly id: number
  /** Left out: its place stays, as that of a row that is deleted. */
  readonly values?: EditValues
  readonly versions?: ExpectedVersions
}

/** Rows under their locks. */
export interface LockedRows {
  /** The present and the new group of each snapshot, in the order of the rows. */
  readonly groups: ReadonlyArray<readonly [from: GroupKey, to: GroupKey]>
  /** The servers that the rows are of, before and after. */
  readonly servers: ReadonlyArray<number>
}

/**
 * Locks the scopes that rows are in and those of their new values, then the rows by id, and returns
 * the error of the first row that does not exist or has another version; child rows can still be
 * created. If another user moves a row before the lock of its scope is taken, the transaction
 * begins again.
 */
export async function lockRows(
  db: Kysely<Tables>,
  model: ModelName,
  rows: ReadonlyArray<RequestedRow>,
): Promise<LockedRows | RowNotFound | VersionChanged> {
  const ids = rows.map(({ id }) => id)
  if (new Set(ids).size < ids.length) throw new Error(`a request writes a ${model} twice`)
  const before = await placeValues(db, model, ids)
  const absent = notFound(model, ids, before)
  if (absent !== null) return absent
  const moves = rows.map(({ id, values }) => [before.get(id) ?? {}, { ...before.get(id), ...values }] as const)
  const places = placesOf(model, moves.flat())
  await lockPlaces({ scopes: places }).execute(db)
  const now = await placeValues(db, model, ids)
  const lost = notFound(model, ids, now)
  if (lost !== null) return lost
  if (ids.some((id) => JSON.stringify(now.get(id)) !== JSON.stringify(before.get(id)))) throw new TransactionAgain()
  const failed = await lockVersions(db, model, rows)
  if (failed !== null) return failed
  const groups = moves.map(([from, to]) => [groupKeyOf(from), groupKeyOf(to)] as const)
  return { groups: model === 'snapshot' ? groups : [], servers: serversOf(places) }
}

/**
 * Locks rows by id and compares their versions. Returns the error of the first row that is not there
 * or has another version; null: all may be written.
 */
export async function lockVersions(
  db: Kysely<Tables>,
  model: ModelName,
  rows: ReadonlyArray<RequestedRow>,
): Promise<RowNotFound | VersionChanged | null> {
  const ids = rows.map(({ id }) => id)
  const { rows: found } = await sql<{ id: number; version: string }>`
    select m.id, m.last_updated as version from ${sql.table(tables[model])} m where m.id = any(${ids}::bigint[])
    order by m.id for no key update`.execute(db)
  const locked = new Map(found.map(({ id, version }) => [id, version]))
  for (const [index, { id, versions }] of rows.entries()) {
    const version = locked.get(id)
    if (version === undefined) return new RowNotFound({ model, index })
    const changed = versionChanged(version, versions, index)
    if (changed !== null) return changed
  }
  return null
}

function notFound(
  model: ModelName,
  ids: ReadonlyArray<number>,
  found: ReadonlyMap<number, EditValues>,
): RowNotFound | null {
  const index = ids.findIndex((id) => !found.has(id))
  return index < 0 ? null : new RowNotFound({ model, index })
}

const placeColumns: Readonly<Record<ModelName, RawBuilder<unknown>>> = {
  server: sql`id`,
  datastore: sql`id, server_id as server`,
  namespace: sql`id, server_id as server, datastore_name`,
  group: sql`id, server_id as server, datastore_name, namespace, backup_type, backup_id`,
  job: sql`id, server_id as server, job_type`,
  task: sql`id, server_id as server`,
  snapshot: sql`id, server_id as server, datastore_name, namespace, backup_type, backup_id`,
}

/** The place of rows of main, by field: of a snapshot the key of its group. */
async function placeValues(
  db: Kysely<Tables>,
  model: ModelName,
  ids: ReadonlyArray<number>,
): Promise<ReadonlyMap<number, EditValues>> {
  const { rows } = await sql<EditValues & { readonly id: number }>`
    select ${placeColumns[model]} from ${sql.table(tables[model])} where id = any(${ids}::bigint[])`.execute(db)
  return new Map(rows.map(({ id, ...values }) => [id, values]))
}
