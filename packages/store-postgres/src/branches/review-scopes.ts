import type { NamespacePlace } from '@netbox-pbs/core/ports'
import { type Kysely, sql } from 'kysely'
import type { LandingPolicy } from '../change-sets/land.ts'
import type { Tables } from '../database/tables.ts'
import { isPlaceOf, isScopeRow, placeKey, placeRows, type ScopePlace } from '../scopes/scope-place.ts'
import { touchedScopes } from './branch-places.ts'
import { isOpenSyncBranch } from './branch-record.ts'
import { coveredPlaces } from './covered-scopes.ts'

/**
 * Sets the scopes that a branch touches to review, because their source will report the reverted
 * changes again: that run stages them instead of landing them. Call this in the merge of a revert
 * branch, under the locks of its scopes; a scope that was never listed needs no review.
 */
export async function reviewTouchedScopes(db: Kysely<Tables>, branch: number): Promise<void> {
  const places = (await touchedScopes(db, branch)).map(({ place }) => place)
  await sql`update scopes c set review = true from (${placeRows(places)}) p where ${isPlaceOf} and not c.review`.execute(
    db,
  )
}

/**
 * Ends the review of the scopes that a branch of a sync covers, after it was merged or abandoned.
 */
export async function endReview(db: Kysely<Tables>, branch: number): Promise<void> {
  await sql`update scopes c set review = false from (${coveredPlaces(branch)}) p where ${isPlaceOf} and c.review`.execute(
    db,
  )
}

/** A scope that is set to review does not land: its changes wait in a branch. */
export const reviewPolicy: LandingPolicy = async (db, place) =>
  (await isReviewed(db, place)) ? { branch: await coveringBranch(db, place, { lock: false }) } : null

/** Whether a scope is set to review. */
async function isReviewed(db: Kysely<Tables>, place: ScopePlace): Promise<boolean> {
  const { rows } = await sql`select from scopes where ${isScopeRow(place)} and review`.execute(db)
  return rows.length > 0
}

/**
 * The open branch of a sync that holds changes of the scope; null: there is none. With `lock` the
 * branch stays open until the end of the transaction.
 */
export async function coveringBranch(
  db: Kysely<Tables>,
  place: ScopePlace,
  { lock }: { readonly lock: boolean },
): Promise<number | null> {
  const { rows } = await sql<{ id: number }>`
    select b.id from branch_scopes s join branches b on b.id = s.branch_id
    where s.scope_key = ${placeKey(place)} and ${isOpenSyncBranch}
    order by b.id limit 1 ${lock ? sql`for share of b` : sql``}`.execute(db)
  return rows[0]?.id ?? null
}

/** The namespaces of a server whose snapshots an open branch of a sync covers. */
export async function coveredNamespaces(db: Kysely<Tables>, serverId: number): Promise<ReadonlyArray<NamespacePlace>> {
  const { rows } = await sql<NamespacePlace>`
    select s.scope ->> 'datastore' as datastore, s.scope ->> 'namespace' as namespace
    from branch_scopes s join branches b on b.id = s.branch_id
    where s.server_id = ${serverId}::bigint and s.scope ->> 'resource' = 'snapshots' and ${isOpenSyncBranch}`.execute(
    db,
  )
  return rows
}
