import { scopeResourceOf } from '@netbox-pbs/core'
import { type EditValues, ServerGone, type WritableModel } from '@netbox-pbs/core/ports'
import { type Kysely, sql } from 'kysely'
import { TransactionAgain } from '../database/session.ts'
import type { Tables } from '../database/tables.ts'
import { lockPlaces } from '../scopes/scope-locks.ts'
import { placeOf, type ScopePlace } from '../scopes/scope-place.ts'
import { tables } from '../tables/columns.ts'
import { type GroupKey, groupKeyOf, lockGroupsOf, placesOfGroups } from '../writes/touch-groups.ts'

/** The scopes that new rows lie in. */
export function placesOfNew(model: WritableModel, rows: ReadonlyArray<EditValues>): ReadonlyArray<ScopePlace> {
  if (model === 'snapshot') return placesOfGroups(rows.map(groupKeyOf)).scopes
  return rows.map((values) => placeOfRow(model, values))
}

/**
 * The error of rows whose server no longer exists; null: all servers do. Hold the locks of their
 * scopes: an existing server then stays until the end of the transaction.
 */
export async function serverGone(db: Kysely<Tables>, rows: ReadonlyArray<EditValues>): Promise<ServerGone | null> {
  const ids = [...new Set(rows.flatMap(({ server }) => (typeof server === 'number' ? [server] : [])))]
  if (ids.length === 0) return null
  const { rows: missing } = await sql<{ id: number }>`
    select id from unnest(${ids}::bigint[]) as w (id) where not exists (select from servers v where v.id = w.id) limit 1`.execute(
    db,
  )
  return missing[0] === undefined ? null : new ServerGone(missing[0])
}

/** A row that is to be written, under the locks of its scopes. */
export interface LockedPlaces {
  /** Of a snapshot the group that it lies in, and the one it is to lie in. */
  readonly groups: ReadonlyArray<GroupKey>
}

/**
 * Locks the scope that a row lies in and the one that the values give it, null: there is no such
 * row. Another user may move it before the lock is ours; then the transaction begins again.
 */
export async function lockPlacesOf(
  db: Kysely<Tables>,
  { model, id, values }: { readonly model: WritableModel; readonly id: number; readonly values: EditValues },
): Promise<LockedPlaces | null> {
  if (model === 'snapshot') {
    const destination = ({ server_id, ...texts }: GroupKey) => groupKeyOf({ server: server_id, ...texts, ...values })
    const groups = await lockGroupsOf(db, id, destination)
    return groups === null ? null : { groups }
  }
  const before = await scopeValues(db, model, id)
  if (before === null) return null
  const scopes = [before, { ...before, ...values }].map((of) => placeOfRow(model, of))
  await lockPlaces({ scopes }).execute(db)
  const now = await scopeValues(db, model, id)
  if (now === null) return null
  if (JSON.stringify(now) !== JSON.stringify(before)) throw new TransactionAgain()
  return { groups: [] }
}

const placeOfRow = (model: WritableModel, { server, job_type }: EditValues): ScopePlace =>
  placeOf(scopeResourceOf(model), { server_id: Number(server), job_type: String(job_type) })

/** What says in which scope a row of main lies, by field; null: there is no such row. */
async function scopeValues(
  db: Kysely<Tables>,
  model: Exclude<WritableModel, 'snapshot'>,
  id: number,
): Promise<EditValues | null> {
  const read = {
    server: sql`select from servers`,
    datastore: sql`select server_id as server from datastores`,
    job: sql`select server_id as server, job_type from jobs`,
  }[model]
  const { rows } = await sql<EditValues>`${read} where id = ${id}::bigint`.execute(db)
  return rows[0] ?? null
}

/**
 * Locks a row until the end of the transaction and returns its `last_updated`, RFC 3339; null: there
 * is none. Child rows can still be created.
 */
export async function lockVersion(db: Kysely<Tables>, model: WritableModel, id: number): Promise<string | null> {
  const { rows } = await sql<{ version: string }>`
    select m.last_updated as version from ${sql.table(tables[model])} m where m.id = ${id}::bigint for no key update`.execute(
    db,
  )
  return rows[0]?.version ?? null
}
