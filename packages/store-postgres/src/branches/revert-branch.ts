import { type Branch, branchAllows } from '@netbox-pbs/core'
import {
  type Branches,
  BranchNameTaken,
  BranchNotFound,
  BranchNotMerged,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { compareBranch } from './check-branch.ts'
import { invertRows } from './invert-rows.ts'
import { logOpened } from './log-branch.ts'
import { newSchemaId } from './open-and-close.ts'

/**
 * Opens a branch that reverts a merged one, and compares it with main: later edits are its
 * conflicts.
 */
export const revertBranch = Effect.fn('Branches.revert')(function* (
  database: Database['Type'],
  { id, name, user, commit, by }: Parameters<Branches['Type']['revert']>[0],
): Effect.fn.Return<Branch, StoreFailed | BranchNotFound | BranchNotMerged | BranchNameTaken> {
  return yield* database.transaction(
    'reverting a branch',
    async (trx) => {
      const refused = await whyNotReverted(trx, id)
      if (refused !== null) return refused
      const into = await open(trx, { id, name, user })
      if (into === null) return new BranchNameTaken({ name })
      await invertRows(trx, { merged: id, into })
      const branch = await compareBranch(trx, { id: into, kind: 'revert' })
      await logOpened(trx, branch, by)
      return branch
    },
    { commit },
  )
})

/** Locks a branch that is to be reverted; returns why it cannot be, null: it can. */
async function whyNotReverted(db: Kysely<Tables>, id: number): Promise<BranchNotFound | BranchNotMerged | null> {
  const { rows } = await sql<Pick<Branch, 'status'>>`
    select status from branches where id = ${Number.isSafeInteger(id) ? id : 0}::bigint for share`.execute(db)
  const [branch] = rows
  if (branch === undefined) return new BranchNotFound({ id })
  return branchAllows(branch, 'revert') ? null : new BranchNotMerged({ id, status: branch.status })
}

/** Opens the branch; null: the name is taken. */
async function open(
  db: Kysely<Tables>,
  { id, name, user }: { readonly id: number; readonly name: string; readonly user: string },
): Promise<number | null> {
  const { rows } = await sql<{ id: number }>`
    insert into branches (schema_id, name, kind, user_name, reverts) values (${newSchemaId()}, ${name}, 'revert', ${user}, ${id}::bigint)
    on conflict do nothing returning id`.execute(db)
  return rows[0]?.id ?? null
}
