import { addRows, type ModelName, noRows, type RowCounts, scopes, scopeTitle } from '@netbox-pbs/core'
import {
  ChangeSetClosed,
  type Landing,
  ScopeInReview,
  type ServerRenamed,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import { appendSummaries } from '../change-log/append-changes.ts'
import type { Tables } from '../database/tables.ts'
import { heldDeletionsOf } from '../held-deletions/held-deletions-row.ts'
import { lockExistingScope, lockPlaces } from '../scopes/scope-locks.ts'
import { branchedModelsOf } from '../scopes/scope-models.ts'
import { inScope, type ScopePlace, scopePlace } from '../scopes/scope-place.ts'
import { tables } from '../tables/columns.ts'
import { notePending } from '../writes/pending-since.ts'
import {
  countNewGroups,
  hasNoSnapshots,
  namespaceOf,
  pruneGroups,
  recountGroups,
  recountNamespaces,
} from '../writes/recount.ts'
import type { Main } from '../writes/writer.ts'
import { requireOpen } from './append.ts'
import { endPart } from './end-part.ts'
import { clearDigestsOfMissing, clearReadDigests, landDigests } from './land-digests.ts'
import { ensureGroups, groupsOf } from './land-groups.ts'
import { deletableOf, landHeldSet } from './land-held-deletions.ts'
import { landObservations } from './land-observations.ts'
import { isWhole, landScopeRow, lastCompleteAt } from './land-scope-row.ts'
import { landSightings } from './land-sightings.ts'
import { landTaskObservations } from './land-task-observations.ts'
import { landUsage } from './land-usage.ts'
import { add, landDeletions, landUpserts, type WindowStep } from './land-windows.ts'
import { landingServer } from './landing-server.ts'
import { recordLanding } from './record-landing.ts'
import { eachWindow, readWindows, type Window } from './windows.ts'

/**
 * Whether a scope may land now, asked under its lock. Null: it may. Otherwise its changes wait for
 * review, in the branch that covers the scope; null: no branch covers it yet.
 */
export type LandingPolicy = (
  db: Kysely<Tables>,
  place: ScopePlace,
) => Promise<{ readonly branch: number | null } | null>

/** What the steps of a landing need. */
interface Land extends WindowStep {
  readonly place: ScopePlace
  readonly landing: Landing
  /** The staged part; null: nothing was appended. */
  readonly part: number | null
}

/** Applies a scope's part to main in one transaction, under the scope's lock. */
export const land = Effect.fn('ChangeSets.land')(function* (
  { database, watch, policy }: Main & { readonly policy: LandingPolicy },
  landing: Landing,
): Effect.fn.Return<RowCounts, StoreFailed | ChangeSetClosed | ScopeInReview | ServerRenamed> {
  return yield* database.transaction(`landing ${scopeTitle(landing.scope)}`, (run) =>
    Effect.gen(function* () {
      yield* requireOpen(run, landing.changeSet, 'update')
      const serverId = yield* landingServer(run, landing)
      const place = scopePlace(landing.scope, serverId)
      if (!(yield* run((db) => lockExistingScope(db, place))))
        return yield* new ChangeSetClosed({ changeSet: landing.changeSet })
      const lastSeen = yield* run((db) => lastCompleteAt(db, place))
      const set = yield* run((db) => heldDeletionsOf(db, place, true))
      const part = yield* endPart(run, landing)
      if (place.resource === 'servers' && part !== null) yield* run((db) => lockDeletedServers(db, part))
      const review = part === null ? null : yield* run((db) => policy(db, place))
      if (part !== null && review !== null && (yield* run((db) => changesAny(db, place, part))))
        return yield* new ScopeInReview({ scope: landing.scope, branch: review.branch })
      const step: Land = {
        run,
        engine: database.engine,
        place,
        landing,
        part,
        at: landing.at,
        lastSeen: () => sql`${lastSeen}::timestamptz`,
        own: scopes[landing.scope.resource].lists,
        writer: { origin: { runId: landing.runId }, watch },
        deletable: deletableOf(landing, set),
        held: { rows: 0, grown: 0 },
        made: new Map(),
      }
      if (part !== null) {
        const { at, runId } = landing
        yield* run((db) => landSightings(db, { place, part, runId, at, lastSeen }))
      }
      const counts = part === null ? noRows : yield* landPart(step, part)
      yield* summarise(step)
      const held_back = yield* run((db) => landHeldSet(db, place, landing, set, step.held))
      yield* run((db) => landScopeRow(db, place, landing, held_back))
      const ended = { ...counts, held_back }
      yield* recordLanding(run, landing, ended)
      return ended
    }),
  )
})

/**
 * Locks the servers that a part deletes exclusively, because all their child rows are deleted with
 * them.
 */
async function lockDeletedServers(db: Kysely<Tables>, part: number): Promise<void> {
  const { rows } = await sql<{ id: number }>`
    select id from staged_servers where part_id = ${part}::bigint and op = 'delete'`.execute(db)
  await lockPlaces({ scopes: [], deletedServers: rows.map(({ id }) => id) }).execute(db)
}

/** Whether a part changes anything in its scope. */
async function changesAny(db: Kysely<Tables>, place: ScopePlace, part: number): Promise<boolean> {
  const changes = branchedModelsOf(place.resource).map(
    (model) => sql`exists (select from ${sql.table(`staged_${tables[model]}`)} w where w.part_id = ${part}::bigint)`,
  )
  if (changes.length === 0) return false
  const { rows } = await sql<{ any: boolean }>`select ${sql.join(changes, sql` or `)} as any`.execute(db)
  return rows[0]?.any ?? false
}

/**
 * Logs the rows that the landing has created, as one entry. Tasks are a log themselves, so new
 * tasks are not logged.
 */
function summarise({ run, place, landing, writer, made }: Land): Effect.Effect<void, StoreFailed> {
  if (made.size === 0 || place.resource === 'tasks') return Effect.void
  const summary = { model: scopes[place.resource].lists, title: scopeTitle(landing.scope), serverId: place.server_id }
  return run((db) => appendSummaries(db, [{ ...summary, counts: Object.fromEntries(made) }], writer.origin))
}

/** Lands the staged rows of a part in the transaction at hand: upserts, deletions, what follows from them, and their log. */
function landPart(step: Land, part: number): Effect.Effect<RowCounts, StoreFailed> {
  const model = scopes[step.place.resource].lists
  if (model === 'snapshot') return landSnapshots(step, part)
  return Effect.gen(function* () {
    const windows = yield* windowsOf(step, part, model)
    const upserted = yield* landUpserts(step, windows, model)
    const deleted = yield* landBelieved(step, windows, model)
    if (model === 'namespace') {
      yield* eachWindow(step.engine, windows, (window) =>
        step.run((db) =>
          recountNamespaces(
            db,
            sql`exists (select from staged_namespaces w where ${window.rows} and w.op = 'create' and w.server_id = m.server_id
              and w.datastore_name = m.datastore_name and w.path = m.path)`,
          ),
        ),
      )
    }
    if (model === 'server') yield* step.run(notePending)
    yield* model === 'task'
      ? landTaskObservations(step.run, step.engine, part)
      : step.run((db) => landObservations(db, model, part))
    if (model === 'datastore') yield* landUsage(step, { serverId: step.place.server_id, part, at: step.landing.at })
    return addRows(upserted, deleted)
  })
}

/** The snapshots of a namespace, with their groups. */
function landSnapshots(step: Land, part: number): Effect.Effect<RowCounts, StoreFailed> {
  const { run, engine, place } = step
  return Effect.gen(function* () {
    // On a server one statement may count a whole namespace, which is worth it when all of it is new.
    const isNew = engine === 'pg' && (yield* run((db) => hasNoSnapshots(db, place)))
    const groups = yield* windowsOf(step, part, 'group')
    yield* landUpserts(step, groups, 'group')
    const windows = yield* windowsOf(step, part, 'snapshot')
    const upserted = yield* landUpserts(step, windows, 'snapshot')
    const deleted = yield* landBelieved(step, windows, 'snapshot')
    yield* landBelieved(step, groups, 'group')
    yield* isNew ? countGroups(step) : recountTouched(step, windows)
    yield* recountLandedGroups(step, part)
    return addRows(upserted, deleted)
  })
}

/** Lands the deletions of some windows, unless rows were left out of the list that lacks them. */
const landBelieved = (step: Land, windows: ReadonlyArray<Window>, model: ModelName) =>
  isWhole(step.landing) ? landDeletions(step, windows, model) : Effect.succeed(noRows)

const windowsOf = ({ run, engine }: Land, part: number, model: ModelName) =>
  readWindows(run, engine, `staged_${tables[model]}`, part)

const countGroups = ({ run, place, writer, made }: Land) =>
  Effect.map(
    run((db) => countNewGroups(db, place, writer.watch)),
    (groups) => add(made, 'group', groups),
  )

/** Creates the groups that new snapshots lack, and recounts those with a written snapshot. */
const recountTouched = ({ run, engine, writer, made }: Land, windows: ReadonlyArray<Window>) =>
  eachWindow(engine, windows, (window) =>
    run(async (db) => {
      if (window.creates > 0) add(made, 'group', await ensureGroups(db, window))
      await recountGroups(db, groupsOf(window, sql`true`), writer)
    }),
  )

/**
 * Runs after the rows of a namespace and the counters: removes groups that are no longer needed and
 * stores the digests of the frames that were read.
 */
function recountLandedGroups(
  { run, engine, place, landing, writer }: Land,
  part: number,
): Effect.Effect<void, StoreFailed> {
  return Effect.gen(function* () {
    yield* run((db) => pruneGroups(db, inScope(place), { origin: writer.origin, held: landing.held !== null }))
    yield* eachWindow(engine, yield* readWindows(run, engine, 'staged_digests', part), (window) =>
      // If rows were left out, main keeps snapshots that a frame lacks, so the frame does not match
      // main.
      run((db) =>
        isWhole(landing) ? landDigests(db, place, window, landing.changeSet) : clearReadDigests(db, place, window),
      ),
    )
    yield* run((db) => clearDigestsOfMissing(db, place))
    yield* run((db) => recountNamespaces(db, namespaceOf(place)))
  })
}
