import {
  branchedModels,
  type Change,
  type Conflict,
  fieldsOfClass,
  type ModelName,
  type RowCounts,
  type Write,
} from '@netbox-pbs/core'
import {
  BranchInConflict,
  BranchNotApproved,
  type BranchScopeUnknown,
  type MergeOutcome,
  type MergeRefused,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Array as Arr, Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import { appendSummaries, type Origin } from '../change-log/append-changes.ts'
import { stageChanges } from '../change-sets/append.ts'
import type { WindowStep } from '../change-sets/land.ts'
import { lockUniqueValues } from '../custom-values/unique-values.ts'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { placeKey } from '../scopes/scope-place.ts'
import { judgeJobs } from '../writes/job-health.ts'
import { judgeScope } from '../writes/judge-groups.ts'
import { lockWithPlaces, touchedScopes } from './branch-places.ts'
import { readLocked } from './branch-record.ts'
import {
  ConflictIndex,
  conflictsOf,
  conflictsOfScopes,
  type FoundConflict,
  type StoredConflict,
} from './conflict-rows.ts'
import { guardQuestions, regressions, unknownScope } from './covered-scopes.ts'
import { landInitialObservations } from './initial-observations.ts'
import { answerOf, entryScopeKey, type ResolvedEntry, resolveEntry } from './judge-entry.ts'
import { resolveKeyConflicts } from './key-conflicts.ts'
import {
  clearTouchedDigests,
  createdByScope,
  dropGroupCounts,
  endMerged,
  landBranch,
  landVisibilities,
  lastListed,
  OverridesOfMerge,
} from './land-branch.ts'
import { logStep } from './log-branch.ts'
import { mergeManually } from './manual-merge/manual-merge.ts'
import { valueTakenByMerge } from './merged-values.ts'
import { type Entry, readEntries } from './read-entries.ts'
import { leaveOut, recordOutcomes, refreshOutcomes, type Written } from './record-outcomes.ts'
import { endReview } from './review-scopes.ts'
import { allEntries, lockTouched, stageCurrent, staleEntries } from './stale-entries.ts'
import { branchWatch } from './stale-groups.ts'

/** The branch to merge, the author, and the time (RFC 3339). */
export interface MergeRequest {
  readonly id: number
  readonly commit: boolean
  readonly by: Origin
  readonly at: string
  /** Fails with HttpError unless the branch is approved as it is now. */
  readonly approval: boolean
}

/** Entries merged at a time. */
const batchSize = 2000

/** Lands a branch in main in one transaction. A dry run does the same and is rolled back. */
export const mergeBranch = Effect.fn('Branches.merge')(function* (
  database: Database['Type'],
  request: MergeRequest,
): Effect.fn.Return<MergeOutcome, StoreFailed | MergeRefused> {
  const by: Origin = { ...request.by, branchId: request.id }
  return yield* database.transaction(
    'merging a branch',
    async (trx) => {
      // One merge at a time: two merges that touch the same scopes could deadlock.
      await sql`select pg_advisory_xact_lock(hashtextextended('netbox-pbs merge', 0))`.execute(trx)
      const fields = await lockUniqueValues(trx, branchedModels)
      const branch = await lockWithPlaces(trx, request.id, 'merge')
      if (branch instanceof Error) return branch
      // A dry run only looks.
      if (request.approval && request.commit && !branch.approved) return new BranchNotApproved({ id: request.id })
      const before = await readLocked(trx, request.id)
      await dropGroupCounts(trx, request.id)
      const merging = { ...request, by }
      const outcome = await (branch.kind === 'sync'
        ? mergeSyncBranch({
            db: trx,
            engine: database.engine,
            request: merging,
            overrides: new Map(),
            skipped: 0,
            open: 0,
          })
        : mergeManually(trx, { ...merging, kind: branch.kind }))
      if (outcome instanceof Error) return outcome
      await judgeJobs(trx, await judgedServers(trx, request.id), request.at)
      const taken = await valueTakenByMerge(trx, request.id, fields)
      if (taken !== null) return taken
      await logStep(trx, { before, after: outcome.branch, by: request.by })
      return outcome
    },
    { commit: request.commit },
  )
})

/** The servers of main that a branch changes, or whose jobs it changes. */
async function judgedServers(db: Kysely<Tables>, branch: number): Promise<ReadonlyArray<number>> {
  const { rows } = await sql<{ id: number }>`
    select v.id from servers v where v.id in (select j.server_id from branch_jobs j where j.branch_id = ${branch}::bigint)
      or v.name in (select s.name from branch_servers s where s.branch_id = ${branch}::bigint and s.op <> 'delete')`.execute(
    db,
  )
  return rows.map(({ id }) => id)
}

/** One merge of a branch of a sync, inside its transaction. */
interface Merge {
  readonly db: Kysely<Tables>
  readonly engine: Database['Type']['engine']
  readonly request: MergeRequest
  readonly overrides: Map<ModelName, OverridesOfMerge>
  /** Entries that are left out, so far. */
  skipped: number
  /** Conflicts without an answer, so far. */
  open: number
}

/**
 * Merges a branch of a sync as a run lands: its whole content, across scopes, in the few statements
 * that land one scope.
 */
async function mergeSyncBranch(merge: Merge): Promise<MergeOutcome | BranchInConflict | BranchScopeUnknown> {
  const { id, at, by } = merge.request
  const scopes = await touchedScopes(merge.db, id)
  const answers = await answeredScopes(merge)
  if (answers instanceof Error) return answers
  const { kept, left } = answers
  for (const { place } of scopes) if (left.has(placeKey(place))) merge.skipped += await leaveOut(merge.db, id, place)
  const part = await newPart(merge.db)
  for (const model of branchedModels) await stageModel(merge, model, part, kept)
  if (merge.open > 0) return new BranchInConflict({ id, conflicts: merge.open })
  const counts = await landPart(merge, part)
  await appendSummaries(merge.db, await createdByScope(merge.db, part, scopes), by)
  for (const [model, overrides] of merge.overrides) await overrides.land(merge.db, model)
  await clearTouchedDigests(merge.db, id)
  await landInitialObservations(merge.db, id)
  await refreshOutcomes(merge.db, id)
  await landVisibilities(merge.db, id, new Set([...kept, ...left]))
  for (const { place } of scopes) if (place.resource === 'snapshots') await judgeScope(merge.db, place)
  await endReview(merge.db, id)
  await endMerged(merge.db, id, { at, by })
  const branch = await readLocked(merge.db, id)
  const { created, updated, deleted } = counts
  return { branch, counts: { created, updated, deleted }, skipped: merge.skipped }
}

/** The scopes, by key, of which a merge leaves out the deletions (`kept`) or everything (`left`). */
interface AnsweredScopes {
  readonly kept: ReadonlySet<string>
  readonly left: ReadonlySet<string>
}

/** The answers for whole scopes. An open conflict stops the merge. */
async function answeredScopes(merge: Merge): Promise<AnsweredScopes | BranchScopeUnknown> {
  const { id } = merge.request
  const lost = await unknownScope(merge.db, id)
  if (lost !== undefined) return lost
  const index = new ConflictIndex(await conflictsOfScopes(merge.db, id))
  const answered = (conflict: FoundConflict) => ({
    scopeKey: conflict.scopeKey,
    resolution: index.same(conflict)?.resolution ?? null,
  })
  // Asked again under the locks, where nothing else lands: a question that is not stored, or whose
  // answer is for another number of deletions, has no answer.
  const guards = (await guardQuestions(merge.db, id)).map(answered)
  const late = (await regressions(merge.db, id)).map(answered)
  merge.open += [...guards, ...late].filter(({ resolution }) => resolution === null).length
  const without = (answers: ReadonlyArray<Pick<StoredConflict, 'scopeKey' | 'resolution'>>) =>
    new Set(answers.flatMap(({ scopeKey: key, resolution }) => (resolution?.choice === 'branch' ? [] : [key])))
  return { kept: without(guards), left: without(late) }
}

async function landPart(merge: Merge, part: number): Promise<RowCounts> {
  const step: WindowStep = {
    db: merge.db,
    engine: merge.engine,
    writer: { origin: merge.request.by, watch: branchWatch },
    at: merge.request.at,
    lastSeen: lastListed,
    own: null,
    // A reviewer's merge is a decision, also on rows that were held before.
    deletable: { listed: true, missing: true },
    held: { rows: 0, grown: 0 },
    made: new Map(),
  }
  return await landBranch(step, part)
}

/** Stages the merged changes of a model's entries, as a sync stages its changes. */
async function stageModel(merge: Merge, model: ModelName, part: number, kept: ReadonlySet<string>): Promise<void> {
  const branch = merge.request.id
  await lockTouched(merge.db, { branch, model })
  // Where the guard's deletions are kept, core must know which ones they are.
  const judged = await (kept.size === 0 ? staleEntries : allEntries)(merge.db, { branch, model })
  await stageCurrent(merge.db, { branch, model }, { part, except: judged })
  for (const ids of Arr.chunksOf(judged, batchSize)) {
    const where = sql`e.id = any(${ids}::bigint[])`
    const page = { branch, model, author: 'sync', after: 0, limit: batchSize, where, lock: true } as const
    const entries = await readEntries(merge.db, page)
    const index = new ConflictIndex(await conflictsOf(merge.db, branch, { model, ids }))
    const keyConflicts = {
      branch,
      model,
      decided: entries.map((entry) => resolveEntry(entry, index)),
      vacates: () => false,
    }
    const decided = await resolveKeyConflicts(merge.db, keyConflicts)
    const written = writesOf(merge, model, decided, index, kept)
    await recordOutcomes(merge.db, { branch, model }, written)
    const changes = written.flatMap(({ entry, write }) => changeOf(model, entry, write) ?? [])
    if (changes.length > 0) await stageChanges(merge.db, part, model, changes, { held: false })
  }
}

/** The result of each entry, with the reviewers' answers applied. */
function writesOf(
  merge: Merge,
  model: ModelName,
  decided: ReadonlyArray<ResolvedEntry>,
  index: ConflictIndex,
  kept: ReadonlySet<string>,
): ReadonlyArray<Written> {
  return decided.map(({ entry, merged, resolved }) => {
    if (entry.op === 'delete' && kept.size > 0 && kept.has(entryScopeKey(entry))) return { entry, write: null }
    if (resolved._tag === 'open') merge.open += resolved.conflicts.length
    if (resolved._tag === 'skipped') merge.skipped++
    if (resolved._tag === 'write') noteOverride(merge, model, entry, merged.conflicts, index)
    return { entry, write: resolved._tag === 'write' ? resolved.write : null }
  })
}

/**
 * Stores the decisions against the source, so that its next list does not raise the conflict
 * again.
 */
function noteOverride(
  merge: Merge,
  model: ModelName,
  entry: Entry,
  conflicts: ReadonlyArray<Conflict>,
  index: ConflictIndex,
): void {
  const overrides = merge.overrides.get(model) ?? new OverridesOfMerge()
  merge.overrides.set(model, overrides)
  for (const conflict of conflicts) {
    const resolution = answerOf(entry, conflict, index)
    if (resolution !== null) overrides.add(model, entry.mainId ?? entry.id, conflict, resolution)
  }
}

/**
 * A write of a merge as the change that a landing applies. Observations of a row that only
 * reappears change nothing except that it is listed.
 */
function changeOf(model: ModelName, entry: Entry, write: Write | null): Change | null {
  if (write === null) return null
  const { id, mainId, key, op, unlisted } = entry
  const facts = new Set(fieldsOfClass(model, 'key', 'immutable', 'source'))
  switch (write._tag) {
    case 'none':
      return op === 'update' && unlisted ? { _tag: 'update', id, key, fields: [], appears: true, broken: [] } : null
    case 'create':
      // A row that main has lost since is restored under a new id.
      return { _tag: 'create', ...(op === 'create' ? { id } : {}), key, values: write.values as never }
    case 'adopt':
    case 'update': {
      const fields = write.fields.filter(({ field }) => facts.has(field))
      return { _tag: 'update', id: mainId ?? id, key, fields, appears: unlisted, broken: [] }
    }
    case 'delete':
      return { _tag: 'delete', id: mainId ?? id, key }
  }
}

/** A part that belongs to no change set: its staged rows land in this transaction, and are cleared after it. */
async function newPart(db: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    insert into change_set_parts (change_set_id, scope_key, waiting) values (nextval('change_set_ids'), 'merge', false) returning id`.execute(
    db,
  )
  return rows[0]?.id ?? 0
}
