import { BranchNotOpen, BranchOfRun } from '@netbox-pbs/core/ports'
import type { Kysely } from 'kysely'
import { lockBranchFor } from '../../branches/branch-record.ts'
import type { Tables } from '../../database/tables.ts'

/**
 * Locks a branch until the end of the transaction, for an edit in it. Returns why it accepts no
 * edits (null: it does): it has ended, does not exist, or belongs to a run.
 */
export async function lockForWriting(db: Kysely<Tables>, id: number): Promise<BranchNotOpen | BranchOfRun | null> {
  const branch = await lockBranchFor(db, id, 'edit')
  if (branch instanceof Error) {
    return branch._tag === 'BranchNotOpen' ? branch : new BranchNotOpen({ id, status: 'closed' })
  }
  return branch.kind === 'sync' ? new BranchOfRun({ id, runId: branch.run_id }) : null
}
