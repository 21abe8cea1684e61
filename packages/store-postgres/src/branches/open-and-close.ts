import { randomInt } from 'node:crypto'
import { type Branch, branchedModels } from '@netbox-pbs/core'
import {
  ApprovalNotAllowed,
  type Branches,
  BranchNameTaken,
  BranchNotFound,
  type BranchNotOpen,
  type StoreFailed,
  type VersionChanged,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { isUniqueViolation } from '../database/store-errors.ts'
import type { Tables } from '../database/tables.ts'
import { nextVersion, versionChanged } from '../tables/row-version.ts'
import { branchTable } from './branch-columns.ts'
import { lockWithPlaces } from './branch-places.ts'
import { lockBranchFor, lockVersion, readLocked } from './branch-record.ts'
import { logApproval, logOpened, logStep } from './log-branch.ts'
import { endReview } from './review-scopes.ts'
import { clearBranchDigests } from './waiting-groups.ts'

/** Opens a branch. */
export const createBranch = Effect.fn('Branches.create')(function* (
  database: Database['Type'],
  { name, kind, description, user, runId, review, by }: Parameters<Branches['Type']['create']>[0],
): Effect.fn.Return<Branch, StoreFailed | BranchNameTaken> {
  return yield* database.transaction('opening a branch', async (trx) => {
    const { rows } = await sql<{ id: number }>`
      insert into branches (schema_id, name, kind, description, user_name, run_id, review)
      values (${newSchemaId()}, ${name}, ${kind}, ${description}, ${user}, ${runId}::bigint, ${review})
      on conflict do nothing returning id`.execute(trx)
    if (rows[0] === undefined) return new BranchNameTaken({ name })
    const branch = await readLocked(trx, rows[0].id)
    await logOpened(trx, branch, by ?? (runId === null ? undefined : { runId }))
    return branch
  })
})

/** Changes the name or the description of a branch. */
export const updateBranch = Effect.fn('Branches.update')(function* (
  database: Database['Type'],
  { id, name, description, versions, by }: Parameters<Branches['Type']['update']>[0],
): Effect.fn.Return<Branch, StoreFailed | BranchNotFound | BranchNameTaken | VersionChanged> {
  return yield* database.transaction('changing a branch', async (trx) => {
    const version = await lockVersion(trx, id)
    if (version === undefined) return new BranchNotFound({ id })
    const changed = versionChanged(version, versions)
    if (changed !== null) return changed
    const before = await readLocked(trx, id)
    try {
      await sql`
        update branches set name = coalesce(${name ?? null}::text, name), description = coalesce(${description ?? null}::text, description),
          last_updated = ${nextVersion(sql`last_updated`)} where id = ${id}::bigint`.execute(trx)
    } catch (cause) {
      if (isUniqueViolation(cause)) return new BranchNameTaken({ name: name ?? '' })
      throw cause
    }
    const after = await readLocked(trx, id)
    await logStep(trx, { before, after, by })
    return after
  })
})

/** Ends a branch without a merge, and drops what it holds. */
export const closeBranch = Effect.fn('Branches.close')(function* (
  database: Database['Type'],
  { id, status, by }: Parameters<Branches['Type']['close']>[0],
) {
  return yield* database.transaction('closing a branch', async (trx) => {
    const locked = await lockWithPlaces(trx, id, 'close')
    if (locked instanceof Error) return locked
    const before = await readLocked(trx, id)
    await endReview(trx, id)
    await discard(trx, id)
    await sql`update branches set status = ${status}, last_updated = ${nextVersion(sql`last_updated`)} where id = ${id}::bigint`.execute(
      trx,
    )
    const closed = await readLocked(trx, id)
    await logStep(trx, { before, after: closed, by })
    return closed
  })
})

/** Drops what a branch holds. */
async function discard(db: Kysely<Tables>, id: number): Promise<void> {
  for (const model of branchedModels)
    await sql`delete from ${branchTable(model)} where branch_id = ${id}::bigint`.execute(db)
  await sql`delete from branch_conflicts where branch_id = ${id}::bigint`.execute(db)
  await sql`delete from branch_group_counts where branch_id = ${id}::bigint`.execute(db)
  await clearBranchDigests(db, id)
  await sql`delete from branch_scopes where branch_id = ${id}::bigint`.execute(db)
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** 8 random characters: a collision is very unlikely, and the second branch is refused. */
export const newSchemaId = (): string => Array.from({ length: 8 }, () => letters[randomInt(letters.length)]).join('')

/**
 * Records the approval of a branch as it is now. Rejects the author of the branch, and a reviewer
 * of an earlier revision.
 */
export const approveBranch = Effect.fn('Branches.approve')(function* (
  database: Database['Type'],
  { id, revision, user, at, by }: Parameters<Branches['Type']['approve']>[0],
): Effect.fn.Return<Branch, StoreFailed | BranchNotFound | BranchNotOpen | ApprovalNotAllowed> {
  return yield* database.transaction('approving a branch', async (trx) => {
    const branch = await lockBranchFor(trx, id, 'approve')
    if (branch instanceof Error) return branch
    if (branch.user === user) return new ApprovalNotAllowed({ id, reason: 'own' })
    if (branch.revision !== revision) return new ApprovalNotAllowed({ id, reason: 'changed' })
    const before = await readLocked(trx, id)
    await sql`update branches set approved_by = ${user}, approved_at = ${at}::timestamptz, approved_revision = ${revision}::bigint,
          last_updated = ${nextVersion(sql`last_updated`)} where id = ${id}::bigint`.execute(trx)
    const approved = await readLocked(trx, id)
    await logApproval(trx, { before, after: approved, by })
    return approved
  })
})
