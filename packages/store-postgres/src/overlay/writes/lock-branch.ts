import { BranchNotOpen, BranchOfRun, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { lockBranchFor } from '../../branches/branch-record.ts'
import type { Run } from '../../database/session.ts'

/**
 * Locks a branch until the end of the transaction, for a user who writes in it. A branch that does
 * not exist counts as ended; a branch of a run accepts no edits.
 */
export function lockForWriting(run: Run, id: number): Effect.Effect<void, StoreFailed | BranchNotOpen | BranchOfRun> {
  return Effect.gen(function* () {
    const branch = yield* run((db) => lockBranchFor(db, id, 'edit'))
    if ('_tag' in branch) {
      return yield* branch._tag === 'BranchNotOpen' ? branch : new BranchNotOpen({ id, status: 'closed' })
    }
    if (branch.kind === 'sync') return yield* new BranchOfRun({ id, runId: branch.run_id })
  })
}
