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
import { lockBranchFor, readBranch } from './branch-record.ts'
import { logApproval } from './log-branch.ts'

/**
 * Records who approves a branch as it is now. Refuses the author of the branch, and a reviewer of
 * an earlier revision.
 */
export const approveBranch = Effect.fn('Branches.approve')(function* (
  database: Database['Type'],
  { id, revision, user, at, by }: Parameters<Branches['Type']['approve']>[0],
): Effect.fn.Return<Branch, StoreFailed | BranchNotFound | BranchNotOpen | ApprovalNotAllowed> {
  return yield* database.transaction('approving a branch', (run) =>
    Effect.gen(function* () {
      const branch = yield* run((db) => lockBranchFor(db, id, 'approve'))
      if ('_tag' in branch) return yield* branch
      if (branch.user === user) return yield* new ApprovalNotAllowed({ id, reason: 'own' })
      if (branch.revision !== revision) return yield* new ApprovalNotAllowed({ id, reason: 'moved' })
      const before = yield* run((db) => readBranch(db, id))
      yield* run((db) =>
        sql`update branches set approved_by = ${user}, approved_at = ${at}::timestamptz, approved_revision = ${revision}::bigint,
          last_updated = ${nextVersion(sql`last_updated`)} where id = ${id}::bigint`.execute(db),
      )
      const approved = yield* run((db) => readBranch(db, id))
      if (before === undefined || approved === undefined)
        return yield* Effect.dieMessage('a branch vanished under its lock')
      yield* run((db) => logApproval(db, { before, after: approved, by }))
      return approved
    }),
  )
})
