import { addRows, type ModelName, noRows, type RowCounts, scopes, scopeTitle } from '@netbox-pbs/core'
import {
  ChangeSetClosed,
  type Landing,
  ScopeInReview,
  type ServerRenamed,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { appendSummaries } from '../change-log/append-changes.ts'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { heldDeletionsOf } from '../held-deletions/held-deletions-row.ts'
import { lockExistingScope, lockPlaces } from '../scopes/scope-locks.ts'
import { branchedModelsOf, inScope, type ScopePlace, scopePlace } from '../scopes/scope-place.ts'
import { tables } from '../tables/columns.ts'
import { restoreAttached } from '../writes/detached-values.ts'
import { forecastStores } from '../writes/forecasts.ts'
import { judgeJobs } from '../writes/job-health.ts'
import { groupsOfKeys, judgeAll, judgeGroups, judgeScope } from '../writes/judge-groups.ts'
import { followMovedGroups } from '../writes/moved-groups.ts'
import { notePending } from '../writes/pending-since.ts'
import { countNewGroups, hasNoSnapshots, pruneGroups, recountGroups, recountNamespaces } from '../writes/recount.ts'
import { recountScopes } from '../writes/recount-scopes.ts'
import type { Main, Writer } from '../writes/writer.ts'
import { type Deletable, deletableOf, isDeletable, landHeldSet } from './land-held-deletions.ts'
import {
  clearDigestsOfMissing,
  clearReadDigests,
  ensureGroups,
  groupsOf,
  isWhole,
  landDigests,
  landScopeRow,
  landSightings,
  lastCompleteAt,
  staleGroupsOf,
  touchedBy,
  unlistGroups,
} from './land-list.ts'
import { landObservations, landTaskObservations, landUsage, noteNodes } from './land-observations.ts'
import {
  holdDeletes,
  isParent,
  type LastSeen,
  landCreates,
  landDeletes,
  landUpdates,
  unlistNamespaces,
} from './land-rows.ts'
import { eachWindow, endPart, landingServer, lockChangeSet, readWindows, recordLanding, type Window } from './parts.ts'

/**
 * Whether a scope may land now, asked under its lock; null: it may. Otherwise its changes wait for
 * review in the branch that covers the scope; null: no branch covers it yet.
 */
export type LandingPolicy = (
  db: Kysely<Tables>,
  place: ScopePlace,
) => Promise<{ readonly branch: number | null } | null>

/** The input of the steps of a landing. */
interface Land extends WindowStep {
  readonly place: ScopePlace
  readonly landing: Landing
  /** The staged part; null: nothing was appended. */
  readonly part: number | null
  /** When the scope's list before this one was complete; null: none was. */
  readonly lastList: string | null
}

/** The servers whose jobs a landing judges: that of a list of jobs or tasks, and those with a new time zone. */
async function judgedServers(
  db: Kysely<Tables>,
  { resource, server_id }: ScopePlace,
  part: number | null,
): Promise<ReadonlyArray<number>> {
  if (server_id !== null) return resource === 'jobs' || resource === 'tasks' ? [server_id] : []
  if (part === null) return []
  const { rows } = await sql<{ id: number }>`
    select id from staged_servers where part_id = ${part}::bigint and op = 'update' and 'timezone' = any(touched)`.execute(
    db,
  )
  return rows.map(({ id }) => id)
}

/** Applies a scope's part to main in one transaction, under the scope's lock. */
export const land = Effect.fn('ChangeSets.land')(function* (
  { database, watch, policy }: Main & { readonly policy: LandingPolicy },
  landing: Landing,
): Effect.fn.Return<RowCounts, StoreFailed | ChangeSetClosed | ScopeInReview | ServerRenamed> {
  return yield* database.transaction(`landing ${scopeTitle(landing.scope)}`, async (trx) => {
    const closed = new ChangeSetClosed({ changeSet: landing.changeSet })
    if (!(await lockChangeSet(trx, landing.changeSet, 'update'))) return closed
    const serverId = await landingServer(trx, landing)
    if (serverId instanceof Error) return serverId
    const place = scopePlace(landing.scope, serverId)
    if (!(await lockExistingScope(trx, place))) return closed
    const lastSeen = await lastCompleteAt(trx, place)
    const set = await heldDeletionsOf(trx, place, true)
    const part = await endPart(trx, landing)
    if (place.resource === 'servers' && part !== null) await lockDeletedServers(trx, part)
    const review = part === null ? null : await policy(trx, place)
    if (part !== null && review !== null && (await changesAny(trx, place, part)))
      return new ScopeInReview({ scope: landing.scope, branch: review.branch })
    const step: Land = {
      db: trx,
      engine: database.engine,
      place,
      landing,
      part,
      at: landing.at,
      lastList: lastSeen,
      lastSeen: () => sql`${lastSeen}::timestamptz`,
      own: scopes[landing.scope.resource].lists,
      writer: { origin: { runId: landing.runId }, watch },
      deletable: deletableOf(landing, set),
      held: { rows: 0, grown: 0 },
      made: new Map(),
    }
    if (part !== null) {
      const { at, runId } = landing
      await landSightings(trx, { place, part, runId, at, lastSeen })
    }
    const counts = part === null ? noRows : await landPart(step, part)
    await summarise(step)
    const held_back = await landHeldSet(trx, place, landing, set, step.held)
    await landScopeRow(trx, place, landing, held_back)
    if (place.resource === 'snapshots') await judgeLanded(step)
    if (serverId !== null && place.resource === 'datastores') await forecastStores(trx, serverId, landing.at)
    await judgeJobs(trx, await judgedServers(trx, place, part), landing.at)
    const ended = { ...counts, held_back }
    await recordLanding(trx, landing, ended)
    return ended
  })
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
async function summarise({ db, place, landing, writer, made }: Land): Promise<void> {
  if (made.size === 0 || place.resource === 'tasks') return
  const summary = { model: scopes[place.resource].lists, title: scopeTitle(landing.scope), serverId: place.server_id }
  await appendSummaries(db, [{ ...summary, counts: Object.fromEntries(made) }], writer.origin)
}

/**
 * Lands the staged rows of a part in the present transaction: upserts, deletions, their
 * consequences, and their log.
 */
async function landPart(step: Land, part: number): Promise<RowCounts> {
  const { db, engine, place, landing } = step
  const model = scopes[place.resource].lists
  if (model === 'snapshot') return await landSnapshots(step, part)
  const windows = await windowsOf(step, part, model)
  const upserted = await landUpserts(step, windows, model)
  const deleted = await landBelieved(step, windows, model)
  if (model === 'namespace') {
    await eachWindow(engine, windows, (window) =>
      recountNamespaces(
        db,
        sql`exists (select from staged_namespaces w where ${window.rows} and w.op = 'create' and w.server_id = m.server_id
          and w.datastore_name = m.datastore_name and w.path = m.path)`,
      ),
    )
  }
  if (model === 'server') await notePending(db)
  if (model === 'task') {
    await landTaskObservations(db, engine, part)
    await noteNodes(db, part)
  } else await landObservations(db, model, { part, lastSeen: step.lastList })
  if (model === 'datastore') await landUsage(step, { serverId: place.server_id, part, at: landing.at })
  return addRows(upserted, deleted)
}

/** The snapshots of a namespace, with their groups. */
async function landSnapshots(step: Land, part: number): Promise<RowCounts> {
  const { db, engine, place } = step
  // On a server one statement may count a whole namespace, which is worth it when all of it is new.
  const isNew = engine === 'pg' && (await hasNoSnapshots(db, place))
  const groups = await windowsOf(step, part, 'group')
  await landUpserts(step, groups, 'group')
  const windows = await windowsOf(step, part, 'snapshot')
  const upserted = await landUpserts(step, windows, 'snapshot')
  const deleted = await landBelieved(step, windows, 'snapshot')
  await landBelieved(step, groups, 'group')
  await (isNew ? countGroups(step) : recountTouched(step, windows))
  await recountLandedGroups(step, part)
  // Groups that only their snapshots have made.
  if ((step.made.get('group') ?? 0) > 0) await restoreAttached(db, 'group', placeRow(place))
  if (movesGroups([...windows, ...groups])) await followMovedGroups(step, part)
  return addRows(upserted, deleted)
}

/** Whether windows of snapshots and groups may take a group to or from its place. */
export const movesGroups = (windows: ReadonlyArray<Window>): boolean =>
  windows.some(({ creates, deletes }) => creates + deletes > 0)

/** Judges the groups that a part has changed, and those of its namespace that rules have changed for. */
async function judgeLanded({ db, place, part, lastList }: Land): Promise<void> {
  if (part !== null && lastList === null) await judgeAll(db, place)
  else {
    if (part !== null) await judgeGroups(db, groupsOfKeys(touchedBy(part)))
    await judgeScope(db, place)
  }
}

/** The scope of a namespace's snapshots as a row. */
const placeRow = (place: ScopePlace) =>
  sql`select ${place.server_id}::bigint as server_id, ${place.datastore_name}::text as datastore_name, ${place.namespace}::text as namespace`

/** Lands the deletions of some windows, unless rows were left out of the list that lacks them. */
const landBelieved = async (step: Land, windows: ReadonlyArray<Window>, model: ModelName): Promise<RowCounts> =>
  isWhole(step.landing) ? await landDeletions(step, windows, model) : noRows

const windowsOf = ({ db, engine }: Land, part: number, model: ModelName): Promise<ReadonlyArray<Window>> =>
  readWindows(db, engine, `staged_${tables[model]}`, part)

async function countGroups({ db, place, writer, made }: Land): Promise<void> {
  add(made, 'group', await countNewGroups(db, place, writer.watch))
}

/** Creates the groups that new snapshots lack, and recounts those whose counters may change. */
async function recountTouched({ db, engine, writer, made }: Land, windows: ReadonlyArray<Window>): Promise<void> {
  await eachWindow(engine, windows, async (window) => {
    if (window.creates > 0) add(made, 'group', await ensureGroups(db, window))
    await recountGroups(db, groupsOf(window, sql`true`), { watch: writer.watch, stale: staleGroupsOf(window) })
  })
}

/**
 * Runs after the rows of a namespace and the counters: removes groups that are no longer needed and
 * stores the digests of the frames that were read.
 */
async function recountLandedGroups({ db, engine, place, landing, writer }: Land, part: number): Promise<void> {
  await pruneGroups(db, inScope(place), { writer, held: landing.held !== null })
  await eachWindow(engine, await readWindows(db, engine, 'staged_digests', part), (window) =>
    // If rows were left out, main keeps snapshots that a frame lacks, so the frame does not match
    // main.
    isWhole(landing) ? landDigests(db, place, window, landing.changeSet) : clearReadDigests(db, place, window),
  )
  await clearDigestsOfMissing(db, place)
  await recountScopes(db, placeRow(place))
}

/** The input of the landing of a part's windows. */
export interface WindowStep {
  readonly db: Kysely<Tables>
  readonly engine: Database['Type']['engine']
  readonly writer: Writer
  /** When it lands, RFC 3339. */
  readonly at: string
  readonly lastSeen: LastSeen
  /** The model that the scope itself lists; null: the part is of more than one scope. */
  readonly own: ModelName | null
  /** Which deletions land. */
  readonly deletable: Deletable
  /** Rows of the scope's own model that stay so far although its list lacks them. */
  readonly held: { rows: number; grown: number }
  /** Rows created so far, by model: the log sums them up. */
  readonly made: Map<ModelName, number>
}

/** Creates and changes the rows of some windows. */
export async function landUpserts(
  { db, engine, writer, made }: WindowStep,
  windows: ReadonlyArray<Window>,
  model: ModelName,
): Promise<RowCounts> {
  const written = windows.filter(({ creates, updates }) => creates + updates > 0)
  return await countWindows(engine, written, async (window) => {
    const { created, updated } = window.creates === 0 ? noRows : await landCreates(db, model, window, writer.origin)
    add(made, model, created)
    const changed = window.updates === 0 ? 0 : await landUpdates(db, model, window, writer.origin)
    return { ...noRows, created, updated: updated + changed }
  })
}

/** Adds created rows to the counts by model. */
export function add(made: Map<ModelName, number>, model: ModelName, rows: number): void {
  if (rows > 0) made.set(model, (made.get(model) ?? 0) + rows)
}

/** Deletes the deletable rows of some windows, and keeps the others as missing. */
export async function landDeletions(
  { db, engine, at, own, lastSeen, writer, deletable: which, held }: WindowStep,
  windows: ReadonlyArray<Window>,
  model: ModelName,
): Promise<RowCounts> {
  const withDeletions = windows.filter(({ deletes, holds }) => deletes + holds > 0)
  return await countWindows(engine, withDeletions, async (window) => {
    const going = isDeletable(which, model === 'group' ? 'g' : 'm')
    const deleted =
      going === null ? noRows : await deleteRows(db, model, window, { lastSeen, writer, deletable: going })
    // A row that was just deleted is not held.
    if (which.listed && which.missing && window.holds === 0 && !isParent(model)) return deleted
    const stay = await holdDeletes(db, model, window, { at, lastSeen })
    if (model === own) {
      held.rows += stay.rows
      held.grown += stay.grown
    }
    return deleted
  })
}

/**
 * Lands a window's deletions. A group only leaves its source's list; `recountLandedGroups` deletes
 * it with its last snapshot.
 */
async function deleteRows(
  db: Kysely<Tables>,
  model: ModelName,
  window: Window,
  {
    lastSeen,
    writer,
    deletable,
  }: Pick<WindowStep, 'lastSeen' | 'writer'> & { readonly deletable: RawBuilder<boolean> },
): Promise<RowCounts> {
  if (model === 'group') {
    await unlistGroups(db, window, deletable, lastSeen)
    return noRows
  }
  const updated = model === 'namespace' ? await unlistNamespaces(db, window, deletable, lastSeen) : 0
  return { ...noRows, updated, deleted: await landDeletes(db, model, window, { deletable, writer }) }
}

async function countWindows(
  engine: WindowStep['engine'],
  windows: ReadonlyArray<Window>,
  apply: (window: Window) => Promise<RowCounts>,
): Promise<RowCounts> {
  let counts = noRows
  await eachWindow(engine, windows, async (window) => {
    counts = addRows(counts, await apply(window))
  })
  return counts
}
