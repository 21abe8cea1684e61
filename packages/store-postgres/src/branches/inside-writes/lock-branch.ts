import { BranchNotOpen, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { Run } from '../../database/session.ts'
import { lockOpenBranch } from '../branch-record.ts'

/** Locks a branch for a writer in it until the end of the transaction. One that is gone has ended. */
export function lockForWriting(run: Run, id: number): Effect.Effect<void, StoreFailed | BranchNotOpen> {
  return Effect.gen(function* () {
    const branch = yield* run((db) => lockOpenBranch(db, id))
    if (!('_tag' in branch)) return
    return yield* branch._tag === 'BranchNotOpen' ? branch : new BranchNotOpen({ id, status: 'closed' })
  })
}
