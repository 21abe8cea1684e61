import {
  type HeldDeletions,
  type HeldDeletionsState,
  type HeldState,
  type HoldReason,
  type ScopeResource,
  scopeOf,
  scopeResources,
  scopes,
} from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { inScope, isScopeRow, type ScopePlace } from '../scopes/scope-place.ts'
import { sameScope, tables } from '../tables/columns.ts'

interface HeldDeletionsRow extends ScopePlace {
  readonly id: number
  readonly server: string
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
 * Missing rows of the scope of the held deletions `h`, of one resource. Snapshots are counted by
 * their groups' counters.
 */
function missingRows(resource: ScopeResource): RawBuilder<unknown> {
  const same = sameScope(resource, 'x', 'h')
  return resource === 'snapshots'
    ? sql`select coalesce(sum(x.missing_count), 0) from groups x where ${same}`
    : sql`select count(*) from ${sql.table(tables[scopes[resource].lists])} x where ${same} and x.presence = 'missing'`
}

/**
 * The resources whose scopes may hold deletions: a list of tasks claims no absence, and that of the
 * servers deletes at once.
 */
const heldResources = scopeResources.filter((resource) => resource !== 'tasks' && resource !== 'servers')

/** Missing rows of the scope of the held deletions `h`. */
export const heldCount = sql<number>`case h.resource
  ${sql.join(
    heldResources.map((resource) => sql`when ${sql.lit(resource)} then (${missingRows(resource)})`),
    sql` `,
  )}
  else 0 end::bigint`

/** Ids of the first missing rows of the scope of the held deletions `id`. */
export async function heldIds(db: Kysely<Tables>, id: number, limit: number): Promise<ReadonlyArray<number>> {
  const { rows: sets } =
    await sql<HeldDeletionsRow>`select h.* from held_deletions h where h.id = ${id}::bigint`.execute(db)
  const [set] = sets
  if (set === undefined || set.resource === 'tasks') return []
  const { rows } = await sql<{ id: number }>`
    select m.id from ${sql.table(tables[scopes[set.resource].lists])} m where ${inScope(set)} and m.presence = 'missing' order by m.id limit ${limit}::bigint`.execute(
    db,
  )
  return rows.map((row) => row.id)
}

/** The held deletions that `where` finds, oldest first unless `order` says otherwise, under the alias `h`. */
export async function selectHeldSets(
  db: Kysely<Tables>,
  where: RawBuilder<unknown>,
  order: RawBuilder<unknown> = sql`h.id`,
): Promise<ReadonlyArray<HeldDeletions>> {
  const { rows } = await sql<HeldDeletionsRow>`
    select h.*, v.name as server, ${heldCount} as count from held_deletions h join servers v on v.id = h.server_id
    where ${where} order by ${order}`.execute(db)
  return rows.map(toHeldSet)
}

function toHeldSet(row: HeldDeletionsRow): HeldDeletions {
  const { id, count, state, revision, reason, visibility, kept, since, decided_by: by, decided_at: at } = row
  const decided = by === null || at === null ? null : { by, at, count: row.decided_count ?? 0 }
  return {
    id,
    scope: scopeOf(row.resource, { ...row, datastore: row.datastore_name }),
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
