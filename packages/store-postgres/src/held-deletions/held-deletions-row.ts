import type { HeldDeletions, HeldDeletionsState, HeldState, HoldReason, Scope } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { inScope, isScopeRow, type ScopePlace } from '../scopes/scope-place.ts'

interface HeldDeletionsRow {
  readonly id: number
  readonly server_id: number
  readonly server: string
  readonly resource: Scope['resource']
  readonly datastore_name: string
  readonly namespace: string
  readonly job_type: string
  readonly state: HeldState
  readonly revision: number
  readonly reason: HoldReason
  readonly visibility: string | null
  readonly kept: boolean
  readonly since: string
  readonly run_id: number
  readonly decided_by: string | null
  readonly decided_at: string | null
  readonly decided_count: number | null
  readonly count: number
}

/** Held deletions of a scope as the guard and a landing read them. */
export interface StoredHeldDeletions extends HeldDeletionsState {
  readonly id: number
}

/**
 * The held deletions of a scope. `lock`: no decision on them is possible until the end of the
 * transaction.
 */
export async function heldDeletionsOf(
  db: Kysely<Tables>,
  place: ScopePlace,
  lock = false,
): Promise<StoredHeldDeletions | null> {
  const { rows } = await sql<StoredHeldDeletions>`
    select id, state, revision, reason, visibility, kept from held_deletions where ${isScopeRow(place)}
    ${lock ? sql`for update` : sql``}`.execute(db)
  return rows[0] ?? null
}

/**
 * Missing rows of the scope of the held deletions `h`. Snapshots are counted by their groups'
 * counters.
 */
export const heldCount = sql<number>`case h.resource
  when 'snapshots' then (
    select coalesce(sum(g.missing_count), 0) from groups g
    where g.server_id = h.server_id and g.datastore_name = h.datastore_name and g.namespace = h.namespace
  )
  when 'namespaces' then (
    select count(*) from namespaces n
    where n.server_id = h.server_id and n.datastore_name = h.datastore_name and n.presence = 'missing'
  )
  when 'datastores' then (select count(*) from datastores d where d.server_id = h.server_id and d.presence = 'missing')
  when 'jobs' then (
    select count(*) from jobs j where j.server_id = h.server_id and j.job_type = h.job_type and j.presence = 'missing'
  )
  else 0 end::bigint`

/** Ids of the first missing rows of the scope of the held deletions `id`. */
export async function heldIds(db: Kysely<Tables>, id: number, limit: number): Promise<ReadonlyArray<number>> {
  const { rows: sets } =
    await sql<HeldDeletionsRow>`select h.* from held_deletions h where h.id = ${id}::bigint`.execute(db)
  const [set] = sets
  if (set === undefined || set.resource === 'tasks') return []
  const { server_id: serverId, resource, datastore_name: datastoreName, namespace, job_type: jobType } = set
  const where = inScope({ serverId, resource, datastoreName, namespace, jobType })
  const { rows } = await sql<{ id: number }>`
    select m.id from ${sql.table(resource)} m where ${where} and m.presence = 'missing' order by m.id limit ${limit}::bigint`.execute(
    db,
  )
  return rows.map((row) => row.id)
}

/** The held deletions that `where` finds, oldest first, under the alias `h`. */
export async function selectHeldSets(
  db: Kysely<Tables>,
  where: RawBuilder<unknown>,
): Promise<ReadonlyArray<HeldDeletions>> {
  const { rows } = await sql<HeldDeletionsRow>`
    select h.*, v.name as server, ${heldCount} as count from held_deletions h join servers v on v.id = h.server_id
    where ${where} order by h.id`.execute(db)
  return rows.map(toHeldSet)
}

function toHeldSet(row: HeldDeletionsRow): HeldDeletions {
  const { id, count, state, revision, reason, visibility, kept, since, decided_by: by, decided_at: at } = row
  const decided = by === null || at === null ? null : { by, at, count: row.decided_count ?? 0 }
  return {
    id,
    scope: scopeOf(row),
    state,
    revision,
    reason,
    visibility,
    kept,
    count,
    since,
    runId: row.run_id,
    decided,
  }
}

function scopeOf({ resource, server, datastore_name: datastore, namespace, job_type }: HeldDeletionsRow): Scope {
  switch (resource) {
    case 'servers':
      return { resource }
    case 'datastores':
    case 'tasks':
      return { resource, server }
    case 'namespaces':
      return { resource, server, datastore }
    case 'snapshots':
      return { resource, server, datastore, namespace }
    case 'jobs':
      return { resource, server, job_type }
  }
}
