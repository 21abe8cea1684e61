import { scopeTitle } from '@netbox-pbs/core'
import type { Landing, StoreFailed } from '@netbox-pbs/core/ports'
import { Array as Arr, Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { lockScope } from '../scopes/scope-locks.ts'
import { branchedModelsOf, placeKey, type ScopePlace, scopePlace, scopeServerId } from '../scopes/scope-place.ts'
import { lockBranchFor, raiseRevision } from './branch-record.ts'
import { entriesIn, ofPlace } from './covered-scopes.ts'
import { judgeEntry } from './judge-entry.ts'
import { type Entry, readEntries } from './read-entries.ts'
import { coveringBranch } from './review-scopes.ts'
import { type EntriesOf, staleEntries } from './stale-entries.ts'
import { dropEntries } from './sync-branch.ts'
import { clearPlaceDigests } from './waiting-groups.ts'

/** Entries compared at a time. */
const batchSize = 2000

type Landed = Pick<Landing, 'scope' | 'runId' | 'at'>

/**
 * Drops from an open branch of a sync the changes that have just landed in main, as after branches
 * were switched off; the rest of the scope is older than main and becomes a conflict at the next
 * comparison. It has its own transaction, so that a branch that is locked for long does not delay
 * the landing.
 */
export const dropLandedEntries = Effect.fn('Branches.dropLandedEntries')(function* (
  database: Database['Type'],
  landed: Landed,
): Effect.fn.Return<void, StoreFailed> {
  const { scope } = landed
  const covered = yield* database.query(`landing ${scopeTitle(scope)}`, async (db) => {
    const serverId = await scopeServerId(db, scope)
    if (serverId === undefined) return null
    const place = scopePlace(scope, serverId)
    const branch = await coveringBranch(db, place, { lock: false })
    return branch === null ? null : { branch, place }
  })
  if (covered === null) return
  const { branch, place } = covered
  yield* database.transaction(`taking ${scopeTitle(scope)} out of a branch`, async (trx) => {
    await lockScope(place).execute(trx)
    const locked = await lockBranchFor(trx, branch, 'stage')
    if (locked instanceof Error) return
    let dropped = 0
    for (const model of branchedModelsOf(scope.resource)) dropped += await dropAgreed(trx, { branch, model }, place)
    if (scope.resource === 'snapshots') await clearPlaceDigests(trx, { branch, place })
    if (dropped > 0) await raiseRevision(trx, branch, { runId: landed.runId })
    await coverFor(trx, branch, place, landed)
  })
})

/** Drops the entries of a scope that agree with main, and returns their number. */
async function dropAgreed(db: Kysely<Tables>, { branch, model }: EntriesOf, place: ScopePlace): Promise<number> {
  // An entry can only agree with main where main has changed since.
  const stale = await staleEntries(db, { branch, model, where: ofPlace(place) })
  let dropped = 0
  for (const ids of Arr.chunksOf(stale, batchSize)) {
    const entries = await readEntries(db, {
      branch,
      model,
      author: 'sync',
      after: 0,
      limit: batchSize,
      where: sql`e.id = any(${ids}::bigint[])`,
    })
    const agreed = entries.filter(isAgreed).map(({ id }) => id)
    await dropEntries(db, { branch, model }, agreed)
    dropped += agreed.length
  }
  return dropped
}

function isAgreed(entry: Entry): boolean {
  const { write, conflicts } = judgeEntry(entry)
  if (conflicts.length > 0) return false
  return write._tag === 'none'
    ? !entry.unlisted
    : write._tag === 'adopt' && write.fields.length === 0 && !entry.unlisted
}

/**
 * Records the last run that listed the scope and, when the branch holds no more of the scope, the
 * time of that.
 */
async function coverFor(db: Kysely<Tables>, branch: number, place: ScopePlace, { runId, at }: Landed): Promise<void> {
  const left = await entriesIn(db, branch, place)
  const over = left === 0 ? sql`, listed_at = ${at}::timestamptz, held = null` : sql``
  await sql`
    update branch_scopes s set run_id = ${runId}::bigint${over}
    where s.branch_id = ${branch}::bigint and s.scope_key = ${placeKey(place)}`.execute(db)
}
