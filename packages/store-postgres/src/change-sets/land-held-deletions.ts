import type { HoldReason } from '@netbox-pbs/core'
import type { Landing } from '@netbox-pbs/core/ports'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import type { StoredHeldDeletions } from '../held-deletions/held-deletions-row.ts'
import { rowCounts, type ScopePlace } from '../scopes/scope-place.ts'

/** Which staged deletions land: of rows that were listed until now, and of rows that are missing already. */
export interface Deletable {
  readonly listed: boolean
  readonly missing: boolean
}

/**
 * Which of a landing's deletions land. A decision counts only while the held deletions are as they
 * were judged: if an operator has decided since, missing rows stay until the next run.
 */
export function deletableOf({ held, decided }: Landing, set: StoredHeldDeletions | null): Deletable {
  const listed = held === null
  const asJudged =
    decided === undefined
      ? set === null || (set.state === 'waiting' && !set.kept)
      : set?.revision === decided.revision && (set.state === 'confirmed') === (decided.missing === 'deleted')
  if (!asJudged) return { listed, missing: false }
  return { listed, missing: decided === undefined ? listed : decided.missing === 'deleted' }
}

/** The condition that finds the deletable rows among the rows `m`; null: there are none. */
export function isDeletable({ listed, missing }: Deletable, alias: string): RawBuilder<boolean> | null {
  const presence = sql.ref(`${alias}.presence`)
  if (listed && missing) return sql<boolean>`true`
  if (!listed && !missing) return null
  return listed ? sql<boolean>`${presence} <> 'missing'` : sql<boolean>`${presence} = 'missing'`
}

/**
 * The rows that a landing has held: those that stay although the list lacks them, and those of them
 * that were listed until now.
 */
export interface Held {
  readonly rows: number
  readonly grown: number
}

/**
 * Creates, refreshes or ends the held deletions of the scope. Returns the number of rows that wait;
 * dismissed deletions that did not grow do not count.
 */
export async function landHeldSet(
  db: Kysely<Tables>,
  place: ScopePlace,
  landing: Landing,
  set: StoredHeldDeletions | null,
  { rows, grown }: Held,
): Promise<number> {
  if (rows === 0) {
    if (set !== null) await endHeldSet(db, place, set)
    return 0
  }
  if (set === null) {
    await noteRun(db, await newHeldSet(db, place, landing), landing.runId)
    return rows
  }
  if (set.state === 'dismissed' && grown === 0) return 0
  await refresh(db, landing, set, grown)
  await noteRun(db, set.id, landing.runId)
  return rows
}

/** Rows of parts that are held separately wait for their child rows. */
const reasonOf = ({ held }: Landing): HoldReason => held ?? 'children_held'

async function newHeldSet(db: Kysely<Tables>, place: ScopePlace, landing: Landing): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    insert into held_deletions (server_id, resource, datastore_name, namespace, job_type, reason, visibility, since, run_id)
    values (${place.server_id}::bigint, ${place.resource}, ${place.datastore_name}, ${place.namespace}, ${place.job_type},
      ${reasonOf(landing)}, ${landing.visibility}, ${landing.at}::timestamptz, ${landing.runId}::bigint) returning id`.execute(
    db,
  )
  return rows[0]?.id ?? 0
}

/**
 * Held deletions that grew wait again, and so do those that were confirmed under another
 * visibility. Once the confirmed rows are deleted, the remaining ones need a new decision.
 */
async function refresh(db: Kysely<Tables>, landing: Landing, set: StoredHeldDeletions, grown: number): Promise<void> {
  const carriedOut = set.state === 'confirmed' && landing.decided?.missing === 'deleted' && grown > 0
  const reason = set.kept && landing.held === null && set.reason !== 'children_held' ? set.reason : reasonOf(landing)
  const otherVisibility = set.visibility !== landing.visibility
  const changed = grown > 0 || otherVisibility || reason !== set.reason
  const state = grown > 0 || otherVisibility ? 'waiting' : set.state
  const decision = state === 'waiting' ? sql`, decided_by = null, decided_at = null, decided_count = null` : sql``
  const reset = carriedOut ? sql`, kept = false, since = ${landing.at}::timestamptz` : sql``
  await sql`
    update held_deletions set state = ${state}, reason = ${reason}, visibility = ${landing.visibility}, run_id = ${landing.runId}::bigint,
      revision = revision + ${changed ? 1 : 0}${decision}${reset}
    where id = ${set.id}::bigint`.execute(db)
}

/**
 * Ends held deletions of which no row is missing any more. Rows that are kept for their child rows
 * may be missing, although no list names them.
 */
async function endHeldSet(db: Kysely<Tables>, place: ScopePlace, set: StoredHeldDeletions): Promise<void> {
  const { rows } = await sql<{ held: number }>`${rowCounts(place)}`.execute(db)
  if ((rows[0]?.held ?? 0) === 0) await sql`delete from held_deletions where id = ${set.id}::bigint`.execute(db)
}

/**
 * Records that a run held or refreshed the deletions. The run of a test or an old job may not be
 * recorded.
 */
async function noteRun(db: Kysely<Tables>, id: number, runId: number): Promise<void> {
  await sql`
    insert into held_deletions_runs (run_id, held_deletions_id)
    select r.id, ${id}::bigint from runs r where r.id = ${runId}::bigint on conflict do nothing`.execute(db)
}
