import { type Branch, branchedModels } from '@netbox-pbs/core'
import {
  Branches,
  BranchInConflict,
  BranchNameTaken,
  BranchNotFound,
  type StoreFailed,
  type VersionChanged,
} from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { type Kysely, sql } from 'kysely'
import { purge } from '../change-sets/purge.ts'
import { Database } from '../database/database.ts'
import { jsonb } from '../database/json.ts'
import { analyzeGrown } from '../database/statistics.ts'
import { isUniqueViolation } from '../database/store-errors.ts'
import type { Tables } from '../database/tables.ts'
import { nextVersion, requireVersion } from '../inventory/row-version.ts'
import { untilPlacesHold } from '../inventory/scope-locks.ts'
import { foldingOf } from '../lists/folding-collation.ts'
import { approveBranch } from './approve-branch.ts'
import { branchTable } from './branch-columns.ts'
import { branchCondition } from './branch-filter.ts'
import { lockOpenBranch, lockVersion, raiseRevision, readBranch, selectBranch } from './branch-record.ts'
import { checkBranch, updateStatus } from './check-branch.ts'
import { answerable, conflictCondition } from './conflict-filter.ts'
import { type ConflictRecord, conflictOf, selectConflict } from './conflict-rows.ts'
import { listChanges } from './list-changes.ts'
import { lockWithPlaces } from './lock-branch-places.ts'
import { answerLogged, logOpened, logStep } from './log-branch.ts'
import { mergeBranch } from './merge-branch.ts'
import { overlayLists } from './overlay/lists.ts'
import { branchWrites } from './overlay/writes/branch-writes.ts'
import { revertBranch } from './revert-branch.ts'
import { endReview } from './review-scopes.ts'
import { newSchemaId } from './schema-id.ts'
import { syncBranch } from './sync-branch.ts'

const databaseAndFolding = Effect.flatMap(Database, (database) =>
  Effect.map(foldingOf(database), (folding) => ({ database, folding })),
)

/** Branches as overlay rows on top of main. */
export const branchesLayer: Layer.Layer<Branches, never, Database> = Layer.effect(
  Branches,
  Effect.map(databaseAndFolding, ({ database, folding }) =>
    Branches.of({
      create: (request) => createBranch(database, request),
      get: Effect.fn('Branches.get')(({ id }) =>
        database.query('reading a branch', async (db) => Option.fromNullable(await readBranch(db, id))),
      ),
      bySchemaId: Effect.fn('Branches.bySchemaId')(({ schemaId }) =>
        database.query('reading a branch', async (db) => {
          if (!/^[a-z0-9]{8}$/.test(schemaId)) return Option.none()
          const { rows } = await sql`${selectBranch()} where b.schema_id = ${schemaId}`.$castTo<Branch>().execute(db)
          return Option.fromNullable(rows[0])
        }),
      ),
      overlay: ({ id }) => ({
        lists: overlayLists(database, folding, id),
        writes: branchWrites(database, id),
      }),
      sync: (request) => Effect.tap(syncBranch(database, request), () => analyzeGrown(database, 'branches')),
      revert: (request) => Effect.tap(revertBranch(database, request), () => analyzeGrown(database, 'branches')),
      approve: (request) => approveBranch(database, request),
      ofRun: Effect.fn('Branches.ofRun')(({ runId }) =>
        database.query('reading the branch of a run', async (db) => {
          const { rows } = await sql`${selectBranch()} where b.run_id = ${runId}::bigint and not b.review`
            .$castTo<Branch>()
            .execute(db)
          return Option.fromNullable(rows[0])
        }),
      ),
      list: Effect.fn('Branches.list')(({ oldestFirst = false, limit, offset, ...filter }) =>
        database.query('listing branches', async (db) => {
          const which = branchCondition(filter)
          const order = oldestFirst ? sql`b.id` : sql`b.id desc`
          const { rows: counted } = await sql<{
            count: number
          }>`select count(*) as count from branches b where ${which}`.execute(db)
          const { rows } = await sql`${selectBranch()} where ${which} order by ${order} limit ${limit} offset ${offset}`
            .$castTo<Branch>()
            .execute(db)
          return { count: counted[0]?.count ?? 0, rows }
        }),
      ),
      update: (request) => updateBranch(database, request),
      changes: Effect.fn('Branches.changes')((request) => {
        const operation = 'listing the changes of a branch'
        const reading = database.query(operation, (db) => listChanges(db, request))
        return request.filter?.search === undefined ? reading : database.scan(operation, reading)
      }),
      conflicts: Effect.fn('Branches.conflicts')(({ id, filter, limit, offset }) =>
        database.query('listing the conflicts of a branch', async (db) => {
          const which = conflictCondition(id, filter)
          const { rows: counted } = await sql<{ count: number }>`
            select count(*) as count from branch_conflicts c where ${which}`.execute(db)
          const { rows } = await sql`${selectConflict} where ${which} order by c.id limit ${limit} offset ${offset}`
            .$castTo<ConflictRecord>()
            .execute(db)
          return { count: counted[0]?.count ?? 0, rows: rows.map(conflictOf) }
        }),
      ),
      check: ({ id }) => Effect.tap(checkBranch(database, id), () => analyzeGrown(database, 'branches')),
      resolve: Effect.fn('Branches.resolve')(({ id, filter, resolution, user, by }) =>
        database.transaction('resolving conflicts', (run) =>
          Effect.gen(function* () {
            const branch = yield* run((db) => lockOpenBranch(db, id))
            if ('_tag' in branch) return yield* branch
            const answer =
              resolution === null
                ? sql`resolution = null, resolved_by = '', resolved_at = null`
                : sql`
              resolution = ${jsonb(resolution)}, resolved_by = ${user}::text, resolved_at = now()`
            const possible = resolution === null ? sql`true` : answerable(resolution)
            const where = sql`${conflictCondition(id, filter)} and ${possible}`
            const answered = yield* run((db) => answerLogged(db, id, { where, answer, by }))
            yield* run((db) => updateStatus(db, id))
            yield* run((db) => raiseRevision(db, id, by))
            return answered
          }),
        ),
      ),
      merge: Effect.fn('Branches.merge')((request) =>
        mergeBranch(database, request).pipe(
          Effect.catchTag('BranchInConflict', (met) => Effect.flatten(listConflicts(database, met))),
          Effect.tap(() => Effect.ignore(purge(database))),
          Effect.tap(() => analyzeGrown(database, 'main')),
        ),
      ),
      close: (request) => closeBranch(database, request),
    }),
  ),
)

/**
 * Lists the conflicts that blocked a merge, so that they can be resolved. The merge stopped at the
 * first one; this finds all of them.
 */
const listConflicts = (database: Database['Type'], met: BranchInConflict) =>
  checkBranch(database, met.id).pipe(
    Effect.map(({ conflicts }) => (conflicts > 0 ? new BranchInConflict({ id: met.id, conflicts }) : met)),
    Effect.orElseSucceed(() => met),
  )

const createBranch = Effect.fn('Branches.create')(function* (
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

const updateBranch = Effect.fn('Branches.update')(function* (
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

const closeBranch = Effect.fn('Branches.close')(function* (
  database: Database['Type'],
  { id, status, by }: Parameters<Branches['Type']['close']>[0],
) {
  const transaction = database.transaction('closing a branch', (run) =>
    Effect.gen(function* () {
      yield* lockWithPlaces(run, id)
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
