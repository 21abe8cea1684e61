import type { Branches, BranchNotFound, BranchNotOpen, StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { jsonb } from '../database/json.ts'
import { lockBranchFor, raiseRevision } from './branch-record.ts'
import { updateStatus } from './check-branch.ts'
import { answerable, conflictCondition } from './conflict-rows.ts'
import { answerLogged } from './log-branch.ts'

/** Answers the conflicts of a branch that a filter finds, or takes their answers back. Returns how many it found. */
export const resolveConflicts = Effect.fn('Branches.resolve')(function* (
  database: Database['Type'],
  { id, filter, resolution, user, by }: Parameters<Branches['Type']['resolve']>[0],
): Effect.fn.Return<number, StoreFailed | BranchNotFound | BranchNotOpen> {
  return yield* database.transaction('resolving conflicts', async (trx) => {
    const branch = await lockBranchFor(trx, id, 'resolve')
    if (branch instanceof Error) return branch
    const answer =
      resolution === null
        ? sql`resolution = null, resolved_by = '', resolved_at = null`
        : sql`
        resolution = ${jsonb(resolution)}, resolved_by = ${user}::text, resolved_at = now()`
    const possible = resolution === null ? sql`true` : answerable(resolution)
    const where = sql`${conflictCondition(id, filter)} and ${possible}`
    const answered = await answerLogged(trx, id, { where, answer, by })
    await updateStatus(trx, id)
    await raiseRevision(trx, id, by)
    return answered
  })
})
