import type { Branch } from '@netbox-pbs/core'
import { Branches, BranchInConflict } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { sql } from 'kysely'
import { listBranches, listChanges } from '../branches/branch-lists.ts'
import { readBranch, selectBranch } from '../branches/branch-record.ts'
import { checkBranch, resolveConflicts } from '../branches/check-branch.ts'
import {
  type ConflictRecord,
  conflictCondition,
  conflictOf,
  selectConflict,
  withNames,
} from '../branches/conflict-rows.ts'
import { mergeBranch } from '../branches/merge-branch.ts'
import { approveBranch, closeBranch, createBranch, updateBranch } from '../branches/open-and-close.ts'
import { revertBranch } from '../branches/revert-branch.ts'
import { coveredNamespaces } from '../branches/review-scopes.ts'
import { syncBranch } from '../branches/sync-branch.ts'
import { readWaitingGroups } from '../branches/waiting-groups.ts'
import { purge } from '../change-sets/parts.ts'
import { Database } from '../database/database.ts'
import { analyzeGrown } from '../database/statistics.ts'
import { judgeGuests } from '../guests/judge-guests.ts'
import { overlayLists } from '../overlay/lists.ts'
import { branchWrites } from '../overlay/writes/branch-writes.ts'
import { foldingOf } from '../tables/folding.ts'
import { recordCount, recordSlice } from '../tables/record-list.ts'

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
      coveredNamespaces: Effect.fn('Branches.coveredNamespaces')(({ serverId }) =>
        database.query('reading which namespaces a branch covers', (db) => coveredNamespaces(db, serverId)),
      ),
      waitingGroups: (place) => readWaitingGroups(database, place),
      list: Effect.fn('Branches.list')((request) =>
        database.query('listing branches', (db) => listBranches(db, request)),
      ),
      update: (request) => updateBranch(database, request),
      changes: Effect.fn('Branches.changes')((request) => {
        const operation = 'listing the changes of a branch'
        const page = database.query(operation, (db) => listChanges(db, request))
        return request.filter?.search === undefined ? page : database.scan(operation, page)
      }),
      conflicts: Effect.fn('Branches.conflicts')(({ id, filter, ...request }) =>
        database.query('listing the conflicts of a branch', async (db) => {
          const which = conflictCondition(id, filter)
          const { begin, order, limit, ...slice } = recordSlice(request, { id: sql`c.id`, order: sql`c.id` })
          const count = await recordCount(db, slice, sql`from branch_conflicts c where ${which}`)
          const { rows } = await sql`${selectConflict} where ${which} and ${begin} order by ${order} ${limit}`
            .$castTo<ConflictRecord>()
            .execute(db)
          return { count, rows: await withNames(db, rows.map(conflictOf)) }
        }),
      ),
      check: ({ id }) => Effect.tap(checkBranch(database, id), () => analyzeGrown(database, 'branches')),
      resolve: (request) => resolveConflicts(database, request),
      merge: Effect.fn('Branches.merge')((request) =>
        mergeBranch(database, request).pipe(
          Effect.catchTag('BranchInConflict', (met) => Effect.flatten(listConflicts(database, met))),
          Effect.tap(() => Effect.ignore(purge(database))),
          Effect.tap(() => judgeGuests(database, { routes: true })),
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
