import type { Branch } from '@netbox-pbs/core'
import {
  ApprovalNotAllowed,
  type Branches,
  type BranchNotFound,
  type BranchNotOpen,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { nextVersion } from '../tables/row-version.ts'
import { lockBranchFor, readLocked } from './branch-record.ts'
import { logApproval } from './log-branch.ts'

/**
 * Records who approves a branch as it is now. Refuses the author of the branch, and a reviewer of
 * an earlier revision.
 */
export const approveBranch = Effect.fn('Branches.approve')(function* (
  database: Database['Type'],
  { id, revision, user, at, by }: Parameters<Branches['Type']['approve']>[0],
): Effect.fn.Return<Branch, StoreFailed | BranchNotFound | BranchNotOpen | ApprovalNotAllowed> {
  return yield* database.transaction('approving a branch', async (trx) => {
    const branch = await lockBranchFor(trx, id, 'approve')
    if (branch instanceof Error) return branch
    if (branch.user === user) return new ApprovalNotAllowed({ id, reason: 'own' })
    if (branch.revision !== revision) return new ApprovalNotAllowed({ id, reason: 'moved' })
    const before = await readLocked(trx, id)
    await sql`update branches set approved_by = ${user}, approved_at = ${at}::timestamptz, approved_revision = ${revision}::bigint,
          last_updated = ${nextVersion(sql`last_updated`)} where id = ${id}::bigint`.execute(trx)
    const approved = await readLocked(trx, id)
    await logApproval(trx, { before, after: approved, by })
    return approved
  })
})
