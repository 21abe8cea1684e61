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
  type BranchNotFound,
  type BranchNotOpen,
  type BranchScopeUnknown,
  type MergeOutcome,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Array as Arr, Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import { appendSummaries, type Origin } from '../change-log/append-changes.ts'
import type { WindowStep } from '../change-sets/land-windows.ts'
import { stageRows } from '../change-sets/stage-rows.ts'
import { stagedRows } from '../change-sets/staged-rows.ts'
import type { Database } from '../database/database.ts'
import type { Run } from '../database/session.ts'
import type { Tables } from '../database/tables.ts'
import { untilPlacesHold } from '../scopes/scope-locks.ts'
import { placeKey, type ScopePlace } from '../scopes/scope-place.ts'
import { readBranch } from './branch-record.ts'
import {
  ConflictIndex,
  conflictsOf,
  conflictsOfScopes,
  type FoundConflict,
  type StoredConflict,
} from './conflict-rows.ts'
import { regressions } from './covered-scopes.ts'
import { createdByScope } from './created-by-scope.ts'
import { transactionOrDryRun } from './dry-run.ts'
import { guardQuestions, unknownScope } from './guard-questions.ts'
import { landInitialObservations } from './initial-observations.ts'
import { entryScopeKey } from './judge-entry.ts'
import { resolveKeyConflicts } from './key-conflicts.ts'
import { landBranch, lastListed } from './land-branch.ts'
import { clearTouchedDigests, dropGroupCounts, endMerged, landVisibilities } from './land-merged.ts'
import { PinsOfMerge } from './land-overrides.ts'
import { lockWithPlaces } from './lock-branch-places.ts'
import { logStep } from './log-branch.ts'
import { mergeManually } from './manual-merge/manual-merge.ts'
import { branchWatch } from './mark-stale.ts'
import { type Entry, readEntries } from './read-entries.ts'
import { leaveOut, recordOutcomes, refreshOutcomes, type Written } from './record-outcomes.ts'
import { answerOf, type ResolvedEntry, resolveEntry } from './resolve-entry.ts'
import { endReview } from './review-scopes.ts'
import { allEntries, lockTouched, stageCurrent, staleEntries } from './stale-entries.ts'
import { touchedScopes } from './touched-scopes.ts'

/** What is merged, by whom, and when (RFC 3339). */
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
): Effect.fn.Return<
  MergeOutcome,
  StoreFailed | BranchNotFound | BranchNotOpen | BranchInConflict | BranchNotApproved | BranchScopeUnknown
> {
  const by: Origin = { ...request.by, branchId: request.id }
  const merge = transactionOrDryRun(database, { operation: 'merging a branch', commit: request.commit }, (run) =>
    Effect.gen(function* () {
      // One merge at a time: two merges that touch the same scopes could deadlock.
      yield* run((db) => sql`select pg_advisory_xact_lock(hashtextextended('netbox-pbs merge', 0))`.execute(db))
      const branch = yield* lockWithPlaces(run, request.id, 'merge')
      // A dry run only looks.
      if (request.approval && request.commit && !branch.approved)
        return yield* new BranchNotApproved({ id: request.id })
      const before = yield* run((db) => readBranch(db, request.id))
      yield* run((db) => dropGroupCounts(db, request.id))
      const outcome = yield* branch.kind === 'sync'
        ? new BranchMerge(run, database.engine, { ...request, by }).land
        : mergeManually(run, { ...request, by, kind: branch.kind })
      if (before !== undefined) yield* run((db) => logStep(db, { before, after: outcome.branch, by: request.by }))
      return outcome
    }),
  )
  return yield* untilPlacesHold(merge)
})

/** One merge of a branch of a sync, inside its transaction: each scope lands as a run's does. */
class BranchMerge {
  readonly #run: Run
  readonly #engine: Database['Type']['engine']
  readonly #request: MergeRequest
  #skipped = 0
  readonly #overrides = new Map<ModelName, PinsOfMerge>()
  #open = 0

  constructor(run: Run, engine: Database['Type']['engine'], request: MergeRequest) {
    this.#run = run
    this.#engine = engine
    this.#request = request
  }

  /** The whole content of the branch, across scopes, in the few statements that land one scope. */
  get land() {
    return Effect.gen(this, function* () {
      const { id, at, by } = this.#request
      const scopes = yield* this.#run((db) => touchedScopes(db, id))
      const { kept, left } = yield* this.#answeredScopes
      for (const { place } of scopes) if (left.has(placeKey(place))) yield* this.#leave(place)
      const part = yield* this.#run(newPart)
      for (const model of branchedModels) yield* this.#stageModel(model, part, kept)
      if (this.#open > 0) return yield* new BranchInConflict({ id, conflicts: this.#open })
      const counts = yield* this.#run((db) => this.#landPart(db, part))
      yield* this.#run(async (db) => appendSummaries(db, await createdByScope(db, part, scopes), by))
      for (const [model, overrides] of this.#overrides) yield* this.#run((db) => overrides.land(db, model))
      yield* this.#run((db) => clearTouchedDigests(db, id))
      yield* this.#run((db) => landInitialObservations(db, id))
      yield* this.#run((db) => refreshOutcomes(db, id))
      yield* this.#run((db) => landVisibilities(db, id, new Set([...kept, ...left])))
      yield* this.#run((db) => endReview(db, id))
      yield* this.#run((db) => endMerged(db, id, { at, by }))
      const branch = yield* this.#run((db) => readBranch(db, id))
      if (branch === undefined) return yield* Effect.dieMessage('a branch vanished under its lock')
      const { created, updated, deleted } = counts
      return { branch, counts: { created, updated, deleted }, skipped: this.#skipped }
    })
  }

  /**
   * The answers for whole scopes: `kept` leaves the deletions out, `left` leaves out everything. An
   * open conflict stops the merge.
   */
  get #answeredScopes() {
    return Effect.gen(this, function* () {
      const { id } = this.#request
      const lost = yield* this.#run((db) => unknownScope(db, id))
      if (lost !== undefined) return yield* lost
      const index = new ConflictIndex(yield* this.#run((db) => conflictsOfScopes(db, id)))
      const answered = (conflict: FoundConflict) => ({
        scopeKey: conflict.scopeKey,
        resolution: index.same(conflict)?.resolution ?? null,
      })
      // Asked again under the locks, where nothing else lands: a question that is not stored, or whose answer is for another number of deletions, has no answer.
      const guards = (yield* this.#run((db) => guardQuestions(db, id))).map(answered)
      const late = (yield* this.#run((db) => regressions(db, id))).map(answered)
      this.#open += [...guards, ...late].filter(({ resolution }) => resolution === null).length
      const without = (answers: ReadonlyArray<Pick<StoredConflict, 'scopeKey' | 'resolution'>>) =>
        new Set(answers.flatMap(({ scopeKey: key, resolution }) => (resolution?.choice === 'branch' ? [] : [key])))
      return { kept: without(guards), left: without(late) }
    })
  }

  /** Leaves a scope out, and records that in its entries. */
  #leave(place: ScopePlace): Effect.Effect<void, StoreFailed> {
    return Effect.map(
      this.#run((db) => leaveOut(db, this.#request.id, place)),
      (entries) => {
        this.#skipped += entries
      },
    )
  }

  async #landPart(db: Kysely<Tables>, part: number): Promise<RowCounts> {
    const step: WindowStep = {
      db,
      engine: this.#engine,
      writer: { origin: this.#request.by, watch: branchWatch },
      at: this.#request.at,
      lastSeen: lastListed,
      own: null,
      // What a reviewer merges is decided, even if it was held before.
      deletable: { listed: true, missing: true },
      held: { rows: 0, grown: 0 },
      made: new Map(),
    }
    return await landBranch(step, part)
  }

  /** Stages what the entries of a model come to, as a sync stages its changes. */
  #stageModel(model: ModelName, part: number, kept: ReadonlySet<string>): Effect.Effect<void, StoreFailed> {
    const branch = this.#request.id
    return Effect.gen(this, function* () {
      yield* this.#run((db) => lockTouched(db, { branch, model }))
      // Where the guard's deletions are kept, core must know which ones they are.
      const judged = yield* this.#run((db) => (kept.size === 0 ? staleEntries : allEntries)(db, { branch, model }))
      yield* this.#run((db) => stageCurrent(db, { branch, model }, { part, moved: judged }))
      for (const ids of Arr.chunksOf(judged, batchSize)) {
        const where = sql`e.id = any(${ids}::bigint[])`
        const page = { branch, model, author: 'sync', after: 0, limit: batchSize, where, lock: true } as const
        const entries = yield* this.#run((db) => readEntries(db, page))
        const index = new ConflictIndex(yield* this.#run((db) => conflictsOf(db, branch, { model, ids })))
        const keyConflicts = {
          branch,
          model,
          decided: entries.map((entry) => resolveEntry(entry, index)),
          leaves: () => false,
        }
        const decided = yield* this.#run((db) => resolveKeyConflicts(db, keyConflicts))
        const written = this.#writesOf(model, decided, index, kept)
        yield* this.#run((db) => recordOutcomes(db, { branch, model }, written))
        const changes = written.flatMap(({ entry, write }) => changeOf(model, entry, write) ?? [])
        if (changes.length > 0)
          yield* this.#run((db) => stageRows(db, part, model, stagedRows(model, changes, { held: false })))
      }
    })
  }

  /** The result of each entry, with the reviewers' answers applied. */
  #writesOf(
    model: ModelName,
    decided: ReadonlyArray<ResolvedEntry>,
    index: ConflictIndex,
    kept: ReadonlySet<string>,
  ): ReadonlyArray<Written> {
    return decided.map(({ entry, merged, resolved }) => {
      if (entry.op === 'delete' && kept.size > 0 && kept.has(entryScopeKey(entry))) return { entry, write: null }
      if (resolved._tag === 'open') this.#open += resolved.conflicts.length
      if (resolved._tag === 'skipped') this.#skipped++
      if (resolved._tag === 'write') this.#pin(model, entry, merged.conflicts, index)
      return { entry, write: resolved._tag === 'write' ? resolved.write : null }
    })
  }

  /**
   * Stores the decisions against the source, so that its next list does not raise the conflict
   * again.
   */
  #pin(model: ModelName, entry: Entry, conflicts: ReadonlyArray<Conflict>, index: ConflictIndex): void {
    const overrides = this.#overrides.get(model) ?? new PinsOfMerge()
    this.#overrides.set(model, overrides)
    for (const conflict of conflicts) {
      const resolution = answerOf(entry, conflict, index)
      if (resolution !== null) overrides.add(model, entry.mainId ?? entry.id, conflict, resolution)
    }
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

/** A part that belongs to no change set: what is staged in it lands in this transaction, and is cleared after it. */
async function newPart(db: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    insert into change_set_parts (change_set_id, scope_key, waiting) values (nextval('change_set_ids'), 'merge', false) returning id`.execute(
    db,
  )
  return rows[0]?.id ?? 0
}
