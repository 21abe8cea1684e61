import {
  addRows,
  type Change,
  type Conflict,
  fieldsOfClass,
  type ModelName,
  noRows,
  type Resolution,
  type RowCounts,
  resolve,
  type Scope,
  scopeKey,
  type Write,
} from '@netbox-pbs/core'
import {
  BranchInConflict,
  BranchNotApproved,
  type BranchNotFound,
  type BranchNotOpen,
  type MergeOrigin,
  type MergeOutcome,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Data, Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import { type Land, landPart, summarise } from '../change-sets/land.ts'
import { lastCompleteAt } from '../change-sets/land-scope-row.ts'
import { stageRows } from '../change-sets/stage-rows.ts'
import { stagedRows } from '../change-sets/staged-rows.ts'
import type { Database } from '../database/database.ts'
import type { Run } from '../database/session.ts'
import type { Tables } from '../database/tables.ts'
import { scopeServerId } from '../inventory/read-scope-state.ts'
import { scopeModels } from '../inventory/scope-models.ts'
import { lockScope, type ScopePlace, scopePlace } from '../inventory/scope-place.ts'
import { lockOpenBranch, readBranch } from './branch-record.ts'
import { ofScope } from './check-branch.ts'
import { ConflictIndex, conflictsOf, conflictsOfScopes } from './conflict-rows.ts'
import { judgeEntry } from './judge-entry.ts'
import { clearTouchedDigests, endMerged, landViews } from './land-merged.ts'
import { PinsOfMerge } from './land-pins.ts'
import { type Entry, readEntries } from './read-entries.ts'
import { touchedScopes, unansweredOrphans } from './touched-scopes.ts'

/** What is merged, by whom, and when (RFC 3339). */
export interface MergeRequest {
  readonly id: number
  readonly commit: boolean
  readonly by: MergeOrigin
  readonly at: string
  /** Refused unless approved as it is now. */
  readonly approval: boolean
}

/** Entries merged at a time. */
const batchSize = 2000

/** A dry run has come to its end: what it did is taken back, and this is what it would have been. */
class DryRun extends Data.TaggedError('DryRun')<{ readonly outcome: MergeOutcome }> {}

/** Lands a branch in main in one transaction. A dry run does the same and is rolled back. */
export const mergeBranch = Effect.fn('Branches.merge')(function* (
  database: Database['Type'],
  request: MergeRequest,
): Effect.fn.Return<MergeOutcome, StoreFailed | BranchNotFound | BranchNotOpen | BranchInConflict | BranchNotApproved> {
  const merging = database.transaction('merging a branch', (run) =>
    Effect.gen(function* () {
      // One merge at a time: two that touch the same scopes would otherwise wait for each other in the middle.
      yield* run((db) => sql`select pg_advisory_xact_lock(hashtextextended('netbox-pbs merge', 0))`.execute(db))
      const branch = yield* run((db) => lockOpenBranch(db, request.id))
      if ('_tag' in branch) return yield* branch
      // A dry run only looks.
      if (request.approval && request.commit && !branch.approved)
        return yield* new BranchNotApproved({ id: request.id })
      const merge = new BranchMerge(run, database.engine, request, branch.kind === 'sync' ? 'sync' : 'operator')
      const outcome = yield* merge.land
      return request.commit ? outcome : yield* new DryRun({ outcome })
    }),
  )
  return yield* Effect.catchTag(merging, 'DryRun', ({ outcome }) => Effect.succeed(outcome))
})

/** One merge, inside its transaction. */
class BranchMerge {
  readonly #run: Run
  readonly #engine: Database['Type']['engine']
  readonly #request: MergeRequest
  readonly #author: 'sync' | 'operator'
  #counts: RowCounts = noRows
  #skipped = 0
  readonly #pins = new Map<ModelName, PinsOfMerge>()
  #open = 0

  constructor(run: Run, engine: Database['Type']['engine'], request: MergeRequest, author: 'sync' | 'operator') {
    this.#run = run
    this.#engine = engine
    this.#request = request
    this.#author = author
  }

  /** First deletions, from the leaves up; then the rest, from the roots down. Each scope as a sync lands it. */
  get land() {
    return Effect.gen(this, function* () {
      const { id, at, by } = this.#request
      const scopes = yield* this.#run((db) => touchedScopes(db, id))
      const places: Array<readonly [Scope, ScopePlace]> = []
      for (const scope of scopes) {
        const serverId = yield* this.#run((db) => scopeServerId(db, scope))
        if (serverId !== undefined) places.push([scope, scopePlace(scope, serverId)])
      }
      for (const [, place] of places) yield* this.#run((db) => lockScope(place).execute(db))
      const kept = yield* this.#keptScopes
      this.#open += yield* this.#run((db) => unansweredOrphans(db, id))
      for (const [scope, place] of [...places].reverse()) {
        if (!kept.has(scopeKey(scope))) yield* this.#landScope(scope, place, 'deletions')
      }
      for (const [scope, place] of places) yield* this.#landScope(scope, place, 'upserts')
      if (this.#open > 0) return yield* new BranchInConflict({ id, conflicts: this.#open })
      for (const [model, pins] of this.#pins) yield* this.#run((db) => pins.land(db, model))
      for (const [, place] of places) yield* this.#run((db) => clearTouchedDigests(db, id, place))
      yield* this.#run((db) => landViews(db, id, kept))
      yield* this.#run((db) => endMerged(db, id, { at, by }))
      const branch = yield* this.#run((db) => readBranch(db, id))
      if (branch === undefined) return yield* Effect.dieMessage('a branch vanished under its lock')
      const { created, updated, deleted } = this.#counts
      return { branch, counts: { created, updated, deleted }, skipped: this.#skipped }
    })
  }

  /** Scopes whose deletions the guard asks about and a reviewer keeps. One without an answer stops the merge. */
  get #keptScopes() {
    return Effect.map(
      this.#run((db) => conflictsOfScopes(db, this.#request.id)),
      (stored) => {
        this.#open += stored.filter(({ resolution }) => resolution === null).length
        return new Set(
          stored.flatMap(({ scopeKey: key, resolution }) => (resolution?.choice === 'branch' ? [] : [key])),
        )
      },
    )
  }

  #landScope(scope: Scope, place: ScopePlace, which: 'deletions' | 'upserts'): Effect.Effect<void, StoreFailed> {
    return Effect.gen(this, function* () {
      const part = yield* this.#run(newPart)
      let staged = 0
      for (const model of scopeModels[scope.resource]) {
        staged += yield* this.#stageModel(scope, model, which, part)
      }
      if (staged === 0) return
      const { at } = this.#request
      const step: Land = {
        run: this.#run,
        engine: this.#engine,
        place,
        landing: { changeSet: 0, scope, runId: 0, at, view: null, held: null, listed: true, record: null },
        part,
        lastSeen: yield* this.#run((db) => lastCompleteAt(db, place)),
        origin: this.#request.by,
        // What a reviewer has merged is decided, whatever was held before.
        letGo: { listed: true, missing: true },
        held: { rows: 0, grown: 0 },
        made: new Map(),
      }
      this.#counts = addRows(this.#counts, yield* landPart(step, part))
      yield* summarise(step)
    })
  }

  /** Stages what the entries of a scope come to, as a sync stages its changes. Gives how many rows. */
  #stageModel(
    scope: Scope,
    model: ModelName,
    which: 'deletions' | 'upserts',
    part: number,
  ): Effect.Effect<number, StoreFailed> {
    const branch = this.#request.id
    const where = sql`${ofScope(scope)} and ${which === 'deletions' ? sql`e.op = 'delete'` : sql`e.op <> 'delete'`}`
    const next = (after: number, staged: number): Effect.Effect<number, StoreFailed> =>
      Effect.gen(this, function* () {
        const page = { branch, model, author: this.#author, after, limit: batchSize, where, lock: true }
        const entries = yield* this.#run((db) => readEntries(db, page))
        const last = entries.at(-1)
        if (last === undefined) return staged
        const stored = yield* this.#run((db) => conflictsOf(db, branch, { model, ids: entries.map(({ id }) => id) }))
        const changes = this.#changesOf(model, entries, new ConflictIndex(stored), scope)
        if (changes.length > 0) yield* stageRows(this.#run, part, model, stagedRows(model, changes, { held: false }))
        const sum = staged + changes.length
        return entries.length < batchSize ? sum : yield* next(last.id, sum)
      })
    return next(0, 0)
  }

  #changesOf(model: ModelName, entries: ReadonlyArray<Entry>, index: ConflictIndex, scope: Scope): Array<Change> {
    const key = scopeKey(scope)
    return entries.flatMap((entry) => {
      const answer = (conflict: Conflict): Resolution | null =>
        index.same({ ...conflict, objectId: entry.id, scopeKey: key })?.resolution ?? null
      const merged = judgeEntry(entry)
      const resolved = resolve(entry.sides, merged, answer)
      if (resolved._tag === 'open') this.#open += resolved.conflicts.length
      if (resolved._tag === 'skipped') this.#skipped++
      if (resolved._tag === 'write' && this.#author === 'sync') this.#pin(model, entry, merged.conflicts, answer)
      const change = resolved._tag === 'write' ? changeOf(model, entry, resolved.write) : null
      return change === null ? [] : [change]
    })
  }

  /** Remembers what was decided against the source, so that its next list does not ask again. */
  #pin(
    model: ModelName,
    { id, mainId }: Entry,
    conflicts: ReadonlyArray<Conflict>,
    answer: (conflict: Conflict) => Resolution | null,
  ): void {
    const pins = this.#pins.get(model) ?? new PinsOfMerge()
    this.#pins.set(model, pins)
    for (const conflict of conflicts) {
      const resolution = answer(conflict)
      if (resolution !== null) pins.add(model, mainId ?? id, conflict, resolution)
    }
  }
}

/** A write of a merge as the change that a landing applies. Readings of a row that only appears change nothing but that it is listed. */
function changeOf(model: ModelName, entry: Entry, write: Write): Change | null {
  const { id, mainId, key, op, unlisted } = entry
  const facts = new Set(fieldsOfClass(model, 'key', 'immutable', 'source'))
  switch (write._tag) {
    case 'none':
      return op === 'update' && unlisted ? { _tag: 'update', id, key, fields: [], appears: true, broken: [] } : null
    case 'create':
      // A row that main has lost since comes back under an id of its own.
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
