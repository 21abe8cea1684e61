import type { Branch } from '@netbox-pbs/core'
import { branchedModels } from '@netbox-pbs/core'
import {
  type Branches,
  BranchNameTaken,
  BranchNotFound,
  type StoreFailed,
  type VersionChanged,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { isUniqueViolation } from '../database/store-errors.ts'
import type { Tables } from '../database/tables.ts'
import { untilPlacesHold } from '../scopes/scope-locks.ts'
import { nextVersion, requireVersion } from '../tables/row-version.ts'
import { branchTable } from './branch-columns.ts'
import { lockVersion, readBranch } from './branch-record.ts'
import { lockWithPlaces } from './lock-branch-places.ts'
import { logOpened, logStep } from './log-branch.ts'
import { endReview } from './review-scopes.ts'
import { newSchemaId } from './schema-id.ts'

/** Opens a branch. */
export const createBranch = Effect.fn('Branches.create')(function* (
  database: Database['Type'],
  { name, kind, description, user, runId, review, by }: Parameters<Branches['Type']['create']>[0],
): Effect.fn.Return<Branch, StoreFailed | BranchNameTaken> {
  return yield* database.transaction('opening a branch', (run) =>
    Effect.gen(function* () {
      const branch = yield* run(async (db) => {
        const { rows } = await sql<{ id: number }>`
          insert into branches (schema_id, name, kind, description, user_name, run_id, review)
          values (${newSchemaId()}, ${name}, ${kind}, ${description}, ${user}, ${runId}::bigint, ${review})
          on conflict do nothing returning id`.execute(db)
        const opened = await readBranch(db, rows[0]?.id ?? 0)
        if (opened !== undefined) await logOpened(db, opened, by ?? (runId === null ? undefined : { runId }))
        return opened
      })
      return branch ?? (yield* new BranchNameTaken({ name }))
    }),
  )
})

/** Changes the name or the description of a branch. */
export const updateBranch = Effect.fn('Branches.update')(function* (
  database: Database['Type'],
  { id, name, description, versions, by }: Parameters<Branches['Type']['update']>[0],
): Effect.fn.Return<Branch, StoreFailed | BranchNotFound | BranchNameTaken | VersionChanged> {
  return yield* database.transaction('changing a branch', (run) =>
    Effect.gen(function* () {
      const version = yield* run((db) => lockVersion(db, id))
      if (version === undefined) return yield* new BranchNotFound({ id })
      yield* requireVersion(version, versions)
      const changed = yield* run(async (db) => {
        const before = await readBranch(db, id)
        try {
          await sql`
            update branches set name = coalesce(${name ?? null}::text, name), description = coalesce(${description ?? null}::text, description),
              last_updated = ${nextVersion(sql`last_updated`)} where id = ${id}::bigint`.execute(db)
          const after = await readBranch(db, id)
          if (before !== undefined && after !== undefined) await logStep(db, { before, after, by })
          return after
        } catch (cause) {
          if (isUniqueViolation(cause)) return null
          throw cause
        }
      })
      return changed ?? (yield* new BranchNameTaken({ name: name ?? '' }))
    }),
  )
})

/** Ends a branch without a merge, and drops what it holds. */
export const closeBranch = Effect.fn('Branches.close')(function* (
  database: Database['Type'],
  { id, status, by }: Parameters<Branches['Type']['close']>[0],
) {
  const transaction = database.transaction('closing a branch', (run) =>
    Effect.gen(function* () {
      yield* lockWithPlaces(run, id, 'close')
      const before = yield* run((db) => readBranch(db, id))
      yield* run((db) => endReview(db, id))
      yield* run((db) => discard(db, id))
      yield* run((db) =>
        sql`update branches set status = ${status}, last_updated = ${nextVersion(sql`last_updated`)} where id = ${id}::bigint`.execute(
          db,
        ),
      )
      const closed = yield* run((db) => readBranch(db, id))
      if (before === undefined || closed === undefined)
        return yield* Effect.dieMessage('a branch vanished under its lock')
      yield* run((db) => logStep(db, { before, after: closed, by }))
      return closed
    }),
  )
  return yield* untilPlacesHold(transaction)
})

/** Drops what a branch holds. */
async function discard(db: Kysely<Tables>, id: number): Promise<void> {
  for (const model of branchedModels)
    await sql`delete from ${branchTable(model)} where branch_id = ${id}::bigint`.execute(db)
  await sql`delete from branch_conflicts where branch_id = ${id}::bigint`.execute(db)
  await sql`delete from branch_group_counts where branch_id = ${id}::bigint`.execute(db)
  await sql`delete from branch_scopes where branch_id = ${id}::bigint`.execute(db)
}
