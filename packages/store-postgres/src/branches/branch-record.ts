import {
  type Author,
  type Branch,
  type BranchAction,
  branchAllows,
  branchedModels,
  openBranchStatuses,
} from '@netbox-pbs/core'
import { BranchNotFound, BranchNotOpen } from '@netbox-pbs/core/ports'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { literals } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { nextVersion } from '../tables/row-version.ts'
import { branchTable } from './branch-columns.ts'
import { coveredScopes } from './covered-scopes.ts'
import { logLapse } from './log-branch.ts'

/** Whether the branch `b` of a sync is open. */
export const isOpenSyncBranch: RawBuilder<boolean> = sql<boolean>`b.kind = 'sync' and b.status in (${literals(openBranchStatuses)})`

/** Whether an open branch of a sync `b` covers a scope that is set to review. */
const coversReviewed = sql`(${isOpenSyncBranch} and exists (
  select from ${coveredScopes} where s.branch_id = b.id and t.review
))`

/** How many conflicts of the branch `b` have no resolution. */
export const openConflicts: RawBuilder<number> = sql`(select count(*) from branch_conflicts c where c.branch_id = b.id and c.resolution is null)`

/** `select … from branches b`, as far as its `where`: a branch as the port gives it. */
export function selectBranch(): RawBuilder<Branch> {
  const changes = branchedModels.map(
    (model) => sql`(select count(*) from ${branchTable(model)} e where e.branch_id = b.id)`,
  )
  return sql<Branch>`
    select b.id, b.schema_id, b.name, b.kind, b.status, b.description, b.user_name as user, b.run_id, b.checked, b.created, b.last_updated,
      b.merged, b.merged_by, b.revision, b.review or ${coversReviewed} as review, b.reverts, b.approved_by, b.approved_at,
      coalesce(b.approved_revision = b.revision, false) as approved, (${sql.join(changes, sql` + `)})::bigint as changes,
      ${openConflicts} as conflicts
    from branches b`
}

/** A branch by its id. */
export async function readBranch(db: Kysely<Tables>, id: number): Promise<Branch | undefined> {
  if (!Number.isSafeInteger(id)) return undefined
  const { rows } = await sql`${selectBranch()} where b.id = ${id}::bigint`.$castTo<Branch>().execute(db)
  return rows[0]
}

/** A branch that this transaction has locked or made. */
export async function readLocked(db: Kysely<Tables>, id: number): Promise<Branch> {
  const branch = await readBranch(db, id)
  if (branch === undefined) throw new Error('a branch vanished under its lock')
  return branch
}

/**
 * Locks a branch in any state until the end of the transaction and returns its `last_updated`, RFC
 * 3339; undefined: the branch does not exist.
 */
export async function lockVersion(db: Kysely<Tables>, id: number): Promise<string | undefined> {
  const { rows } = await sql<Pick<Branch, 'last_updated'>>`
    select last_updated from branches where id = ${Number.isSafeInteger(id) ? id : 0}::bigint for update`.execute(db)
  return rows[0]?.last_updated
}

/** The fields of a branch that its writers need. */
export type Locked = Pick<Branch, 'kind' | 'status' | 'user' | 'run_id' | 'revision' | 'approved'>

/**
 * Records that the content of a branch or the answers in it have changed. This ends an approval of
 * the earlier state, which the log records.
 */
export async function raiseRevision(db: Kysely<Tables>, id: number, by: Author | undefined): Promise<void> {
  const { rows } = await sql<Pick<Branch, 'name' | 'revision' | 'approved'>>`
    update branches set revision = revision + 1, last_updated = ${nextVersion(sql`last_updated`)} where id = ${id}::bigint
    returning name, revision, coalesce(approved_revision = revision - 1, false) as approved`.execute(db)
  for (const { approved, ...branch } of rows) if (approved) await logLapse(db, { id, ...branch, by })
}

/**
 * Locks a branch until the end of the transaction, for an action of an open branch; returns why its
 * status does not allow it, if so.
 */
export async function lockBranchFor(
  db: Kysely<Tables>,
  id: number,
  action: Exclude<BranchAction, 'revert'>,
): Promise<Locked | BranchNotFound | BranchNotOpen> {
  const { rows } = await sql<Locked>`
    select kind, status, user_name as user, run_id, revision, coalesce(approved_revision = revision, false) as approved from branches where id = ${Number.isSafeInteger(id) ? id : 0}::bigint for update`.execute(
    db,
  )
  const [branch] = rows
  if (branch === undefined) return new BranchNotFound({ id })
  return branchAllows(branch, action) ? branch : new BranchNotOpen({ id, status: branch.status })
}
