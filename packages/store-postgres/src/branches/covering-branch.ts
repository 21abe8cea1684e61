import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { placeKey, type ScopePlace } from '../scopes/scope-place.ts'
import { isOpenSyncBranch } from './branch-record.ts'

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
