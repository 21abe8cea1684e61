import { addRows, type Branch, branchAllows, noRows, type RowCounts, scopes, scopeTitle } from '@netbox-pbs/core'
import {
  BranchNotOpen,
  ChangeSetClosed,
  type ChangeSets,
  type ServerRenamed,
  type Staged,
  type StoreFailed,
  WaitingChangesGone,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import { isWhole, landScopeRow, landSightings, lastCompleteAt, sightedGroups } from '../change-sets/land-list.ts'
import { landObservations, landUsage } from '../change-sets/land-observations.ts'
import { eachWindow, endPart, landingServer, lockChangeSet, readWindows, recordLanding } from '../change-sets/parts.ts'
import type { Database } from '../database/database.ts'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { lockExistingScope } from '../scopes/scope-locks.ts'
import { branchedModelsOf, placeKey, type ScopePlace, scopePlace } from '../scopes/scope-place.ts'
import { tables } from '../tables/columns.ts'
import { groupsOfKeys, judgeGroups } from '../writes/judge-groups.ts'
import { stageObservations } from './initial-observations.ts'
import { coveringBranch } from './review-scopes.ts'
import { dropUnstaged, stageCreates, stageDeletes, stageUpdates } from './stage-rows.ts'
import { recountMarked } from './stale-groups.ts'
import { clearPlaceDigests, countRetained, rememberGroups, retainedIn } from './waiting-groups.ts'

/** A scope that goes into a branch instead of main. */
export type Staging = Parameters<ChangeSets['Type']['stage']>[0]

/** Moves a scope's part into a branch in one transaction. */
export const stage = Effect.fn('ChangeSets.stage')(function* (
  database: Database['Type'],
  staging: Staging,
): Effect.fn.Return<Staged, StoreFailed | ChangeSetClosed | BranchNotOpen | ServerRenamed | WaitingChangesGone> {
  const { scope, changeSet, remember = true } = staging
  return yield* database.transaction(`staging ${scopeTitle(scope)} in a branch`, async (trx) => {
    const closed = new ChangeSetClosed({ changeSet })
    if (!(await lockChangeSet(trx, changeSet, 'update'))) return closed
    const serverId = await landingServer(trx, staging)
    if (serverId instanceof Error) return serverId
    const place = scopePlace(scope, serverId)
    if (!(await lockExistingScope(trx, place))) return closed
    const part = await endPart(trx, staging)
    const covering = await coveringBranch(trx, place, { lock: true })
    const retainedOf = part === null ? null : await retainedIn(trx, part)
    if (retainedOf !== null && retainedOf !== covering) return new WaitingChangesGone({ branch: retainedOf, scope })
    const branch = covering ?? staging.branch
    const notOpen = covering === null ? await keepOpen(trx, branch) : null
    if (notOpen !== null) return notOpen
    const lastSeen = await lastCompleteAt(trx, place)
    if (part !== null) {
      const { at, runId } = staging
      await landSightings(trx, { place, part, runId, at, lastSeen })
      if (scope.resource === 'snapshots') await judgeGroups(trx, groupsOfKeys(sightedGroups(part)))
    }
    for (const model of branchedModelsOf(scope.resource)) {
      const retains = retainedOf !== null
      await dropUnstaged({ db: trx, engine: database.engine }, { branch, place, model, changeSet }, { part, retains })
    }
    const fresh = part === null ? nothing : await stagePart(trx, database.engine, { branch, place, staging, part })
    const staged =
      part === null || retainedOf === null ? fresh : both(fresh, await countRetained(trx, { branch, place }, part))
    if (scope.resource === 'snapshots') await recountMarked(trx, database.engine, branch, place)
    if (part !== null) {
      const model = scopes[scope.resource].lists
      await landObservations(trx, model, { part, lastSeen })
      await stageObservations(trx, { branch, model }, part)
      if (scope.resource === 'datastores') {
        await landUsage({ db: trx, engine: database.engine }, { serverId, part, at: staging.at })
      }
    }
    if (scope.resource === 'snapshots' && staged.changes > 0 && part !== null && isWhole(staging) && remember) {
      await rememberGroups({ db: trx, engine: database.engine }, { branch, place, part, changeSet })
    } else if (scope.resource === 'snapshots') await clearPlaceDigests(trx, { branch, place })
    if (staged.changes > 0) {
      await cover(trx, branch, place, staging)
      await recordLanding(trx, staging, staged.counts)
      return { branch, counts: staged.counts }
    }
    // Source and main agree. A branch that had changes of the scope records the run that removed them.
    if (covering !== null) await cover(trx, branch, place, { ...staging, held: null })
    await landScopeRow(trx, place, staging, 0)
    await recordLanding(trx, staging, noRows)
    return { branch: null, counts: noRows }
  })
})

/** The size of a part: rows of the scope's model, and changes of any model. */
interface StagedPart {
  readonly counts: RowCounts
  readonly changes: number
}

const nothing: StagedPart = { counts: noRows, changes: 0 }

const both = (one: StagedPart, other: StagedPart): StagedPart => ({
  counts: addRows(one.counts, other.counts),
  changes: one.changes + other.changes,
})

/** Keeps a branch open until the end of the transaction; null, or the error of one that is not open. */
async function keepOpen(db: Kysely<Tables>, id: number): Promise<BranchNotOpen | null> {
  const { rows } = await sql<
    Pick<Branch, 'status'>
  >`select status from branches where id = ${id}::bigint for share`.execute(db)
  const status = rows[0]?.status ?? 'closed'
  return branchAllows({ status }, 'stage') ? null : new BranchNotOpen({ id, status })
}

async function stagePart(
  db: Kysely<Tables>,
  engine: Database['Type']['engine'],
  {
    branch,
    place,
    staging,
    part,
  }: { readonly branch: number; readonly place: ScopePlace; readonly staging: Staging; readonly part: number },
): Promise<StagedPart> {
  const { scope, changeSet } = staging
  let counts = noRows
  let changes = 0
  for (const model of branchedModelsOf(scope.resource)) {
    const target = { branch, place, model, changeSet }
    const own = model === scopes[scope.resource].lists
    const windows = await readWindows(db, engine, `staged_${tables[model]}`, part)
    await eachWindow(engine, windows, async (window) => {
      const created = window.creates > 0 ? await stageCreates(db, target, window) : 0
      const updated = window.updates > 0 ? await stageUpdates(db, target, window) : 0
      const deletes = isWhole(staging) && window.deletes + window.holds > 0
      const deleted = deletes ? await stageDeletes(db, target, window) : 0
      changes += created + updated + deleted
      if (own) counts = addRows(counts, { ...noRows, created, updated, deleted })
    })
  }
  return { counts, changes }
}

async function cover(db: Kysely<Tables>, branch: number, place: ScopePlace, staging: Staging): Promise<void> {
  const { scope, runId, visibility, held, at } = staging
  const listed = staging.listed && isWhole(staging)
  await sql`
    insert into branch_scopes (branch_id, scope_key, server_id, scope, run_id, visibility, held, listed_at, listed)
    values (${branch}::bigint, ${placeKey(place)}, ${place.server_id}::bigint, ${jsonb(scope)}, ${runId}::bigint, ${visibility}::text, ${held}::text, ${at}::timestamptz, ${listed})
    on conflict (branch_id, scope_key) do update set scope = excluded.scope, run_id = excluded.run_id, visibility = excluded.visibility, held = excluded.held,
      listed_at = excluded.listed_at, listed = excluded.listed`.execute(db)
}
