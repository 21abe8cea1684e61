import {
  type BranchKind,
  type FieldChange,
  type FieldValues,
  type MergeStep,
  type ModelName,
  mergeSteps,
  naturalKey,
} from '@netbox-pbs/core'
import { BranchInConflict, type MergeOutcome, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sql } from 'kysely'
import type { Origin } from '../../change-log/append-changes.ts'
import type { Run } from '../../database/session.ts'
import { isUniqueViolation } from '../../database/store-errors.ts'
import type { PlacesMoved } from '../../scopes/scope-locks.ts'
import { factColumns } from '../../tables/columns.ts'
import { deleteServers, type LeavingServer } from '../../writes/delete-servers.ts'
import { notePending } from '../../writes/pending-since.ts'
import { recountNamespaces } from '../../writes/recount.ts'
import { type GroupKey, groupKeyOf, recountTouchedGroups } from '../../writes/touch-groups.ts'
import { readBranch } from '../branch-record.ts'
import { ConflictIndex, conflictsOf, hasConflicts } from '../conflict-rows.ts'
import { changesKey, resolveKeyConflicts } from '../key-conflicts.ts'
import { endMerged } from '../land-merged.ts'
import { lockPresentPlaces } from '../lock-branch-places.ts'
import { branchWatch } from '../mark-stale.ts'
import { type Entry, readEntries } from '../read-entries.ts'
import { recordOutcomes, refreshOutcomes } from '../record-outcomes.ts'
import { type ResolvedEntry, resolveEntry } from '../resolve-entry.ts'
import { reviewTouchedScopes } from '../review-scopes.ts'
import { creationIds, groupsOfEntries, insertRows } from './insert-rows.ts'
import { freeServers, removeNamespaces, removeRows, unlistGroups } from './remove-rows.ts'
import { repointChildren } from './repoint-children.ts'
import { type RowChange, renameRows, writeRows } from './write-rows.ts'

/** What is merged, by whom, and when (RFC 3339). */
interface Request {
  readonly id: number
  readonly by: Origin
  readonly at: string
  readonly kind: BranchKind
}

/** Entries merged at a time. */
const batchSize = 2000

/**
 * A merge that meets the same key this many times competes with a writer that is faster than it.
 */
const maxAttempts = 3

/**
 * Lands a user's branch or a revert branch in the current transaction, in batches of thousands of
 * rows. The caller holds the locks of the merge, of the namespaces concerned and of the branch.
 */
export const mergeManually = (
  run: Run,
  request: Request,
): Effect.Effect<MergeOutcome, StoreFailed | BranchInConflict | PlacesMoved> => new ManualMerge(run, request).land

/**
 * One merge, inside its transaction. It stops at the first step that meets a conflict, because
 * later steps build on it.
 */
class ManualMerge {
  readonly #run: Run
  readonly #request: Request
  readonly #counts = { created: 0, updated: 0, deleted: 0 }
  #skipped = 0
  #servers: ReadonlyArray<LeavingServer> = []
  #namespaces: ReadonlyArray<number> = []
  /** Whether the branch ever had a conflict: most merges have no answers to apply. */
  #answers: boolean | null = null
  readonly #groups = new Map<string, GroupKey>()

  constructor(run: Run, request: Request) {
    this.#run = run
    this.#request = request
  }

  get land() {
    return Effect.gen(this, function* () {
      const { id, at, by, kind } = this.#request
      const writer = { origin: by, watch: branchWatch }
      for (const step of mergeSteps) yield* this.#takeStep(step)
      yield* this.#run((db) => recountTouchedGroups(db, [...this.#groups.values()], writer))
      const namespaces = { ids: this.#namespaces, origin: by }
      this.#counts.deleted += yield* this.#run((db) => removeNamespaces(db, namespaces))
      const servers = { servers: this.#servers, writer }
      this.#counts.deleted += yield* this.#run((db) => deleteServers(db, servers))
      yield* this.#run(notePending)
      yield* this.#run((db) => refreshOutcomes(db, id))
      // The source will report the reverted change again.
      if (kind === 'revert') yield* this.#run((db) => reviewTouchedScopes(db, id))
      yield* this.#run((db) => endMerged(db, id, { at, by }))
      const branch = yield* this.#run((db) => readBranch(db, id))
      if (branch === undefined) return yield* Effect.dieMessage('a branch vanished under its lock')
      return { branch, counts: this.#counts, skipped: this.#skipped }
    })
  }

  #takeStep({ model, op }: MergeStep): Effect.Effect<void, StoreFailed | BranchInConflict | PlacesMoved> {
    if (op === 'create') return this.#createAll(model)
    return Effect.gen(this, function* () {
      const where = sql`e.op = ${op}`
      const keyConflicts: Array<ResolvedEntry> = []
      for (let after: number | undefined = 0; after !== undefined; ) {
        const entries: ReadonlyArray<Entry> = yield* this.#read(model, { where, after })
        const decided = yield* this.#resolveEntry(model, entries)
        keyConflicts.push(...decided.filter((one) => changesKey(model, one)))
        const ended = yield* this.#ended(
          model,
          decided.filter((one) => !changesKey(model, one)),
        )
        yield* op === 'delete' ? this.#remove(model, ended) : this.#write(model, ended)
        after = entries.length < batchSize ? undefined : entries.at(-1)?.id
      }
      if (keyConflicts.length > 0) yield* this.#move(model, keyConflicts)
    })
  }

  /**
   * A creation whose key is free is inserted without being read, because main has nothing to
   * compare it with.
   */
  #createAll(model: ModelName): Effect.Effect<void, StoreFailed | BranchInConflict | PlacesMoved> {
    return Effect.gen(this, function* () {
      const branch = this.#request.id
      for (let after: number | undefined = 0; after !== undefined; ) {
        const page = { branch, model, after, limit: batchSize }
        const ids: ReadonlyArray<number> = yield* this.#run((db) => creationIds(db, page))
        const made = yield* this.#insertRows(model, ids, false)
        const others = ids.filter((id) => !made.has(id))
        if (others.length > 0) yield* this.#adopt(model, others)
        after = ids.length < batchSize ? undefined : ids.at(-1)
      }
    })
  }

  #read(
    model: ModelName,
    { where, after = 0 }: { readonly where: ReturnType<typeof sql>; readonly after?: number },
  ): Effect.Effect<ReadonlyArray<Entry>, StoreFailed> {
    const { id } = this.#request
    const page = { branch: id, model, author: 'operator', after, limit: batchSize, where, lock: true } as const
    return this.#run((db) => readEntries(db, page))
  }

  #resolveEntry(
    model: ModelName,
    entries: ReadonlyArray<Entry>,
  ): Effect.Effect<ReadonlyArray<ResolvedEntry>, StoreFailed> {
    return Effect.gen(this, function* () {
      if (entries.length === 0) return []
      const { id: branch } = this.#request
      this.#answers ??= yield* this.#run((db) => hasConflicts(db, branch))
      const ids = entries.map(({ id }) => id)
      const stored = this.#answers ? yield* this.#run((db) => conflictsOf(db, branch, { model, ids })) : []
      const index = new ConflictIndex(stored)
      return entries.map((entry) => resolveEntry(entry, index))
    })
  }

  /**
   * The writes of resolved entries. Counts the entries that are left out, records the outcome of
   * each, and fails when one of them is in conflict.
   */
  #ended(
    model: ModelName,
    decided: ReadonlyArray<ResolvedEntry>,
  ): Effect.Effect<ReadonlyArray<Ended>, StoreFailed | BranchInConflict | PlacesMoved> {
    return Effect.gen(this, function* () {
      const { id } = this.#request
      const open = decided.flatMap(({ resolved }) => (resolved._tag === 'open' ? resolved.conflicts : []))
      if (open.length > 0) return yield* new BranchInConflict({ id, conflicts: open.length })
      const ended = decided.map(({ entry, resolved }) => ({
        entry,
        write: resolved._tag === 'write' ? resolved.write : null,
      }))
      this.#skipped += ended.filter(({ write }) => write === null).length
      if (ended.length > 0) yield* this.#run((db) => recordOutcomes(db, { branch: id, model }, ended))
      return ended
    })
  }

  #remove(model: ModelName, ended: ReadonlyArray<Ended>): Effect.Effect<void, StoreFailed> {
    return Effect.gen(this, function* () {
      const going = ended.filter(({ write }) => write?._tag === 'delete')
      const ids = going.map(({ entry }) => entry.id)
      if (ids.length === 0) return
      for (const { entry } of going) this.#touchGroup(model, entry.sides.main)
      if (model === 'server') this.#servers = [...this.#servers, ...(yield* this.#run((db) => freeServers(db, ids)))]
      else if (model === 'namespace') this.#namespaces = [...this.#namespaces, ...ids]
      else if (model === 'group') yield* this.#run((db) => unlistGroups(db, ids))
      else this.#counts.deleted += yield* this.#run((db) => removeRows(db, model, { ids, origin: this.#request.by }))
    })
  }

  #write(model: ModelName, ended: ReadonlyArray<Ended>): Effect.Effect<void, StoreFailed> {
    const rows = ended.flatMap((one) => this.#changeOf(model, one))
    const written = this.#run((db) => writeRows(db, model, { rows, origin: this.#request.by }))
    return Effect.map(written, (updated) => this.#count(model, { updated }))
  }

  /**
   * Changes keys, and restores rows that main has lost and a reviewer keeps, which claim their old
   * keys.
   */
  #move(
    model: ModelName,
    decided: ReadonlyArray<ResolvedEntry>,
  ): Effect.Effect<void, StoreFailed | BranchInConflict | PlacesMoved> {
    return Effect.gen(this, function* () {
      const { id, by } = this.#request
      // Deletions have landed, so a row that is still there stays.
      const keyConflicts = { branch: id, model, decided, leaves: () => false }
      const ended = yield* this.#ended(model, yield* this.#run((db) => resolveKeyConflicts(db, keyConflicts)))
      const rows = ended.flatMap((one) => this.#changeOf(model, one))
      const moved = yield* this.#run((db) => unlessTaken(() => renameRows(db, model, { rows, origin: by })))
      // Another user has just taken such a key: the next comparison of the branch shows it.
      if (moved === null) return yield* new BranchInConflict({ id, conflicts: 1 })
      this.#count(model, { updated: moved })
      const lost = ended.flatMap(({ entry, write }) => (write?._tag === 'create' ? [entry.id] : []))
      const made = yield* this.#insertRows(model, lost, true)
      if (made.size < lost.length) return yield* new BranchInConflict({ id, conflicts: 1 })
    })
  }

  /** Merges creations with the rows of main that have their keys, or returns why it cannot. */
  #adopt(
    model: ModelName,
    ids: ReadonlyArray<number>,
    readings = 1,
  ): Effect.Effect<void, StoreFailed | BranchInConflict | PlacesMoved> {
    return Effect.gen(this, function* () {
      const { id } = this.#request
      const entries = yield* this.#read(model, { where: sql`e.id = any(${ids}::bigint[])` })
      const ended = yield* this.#ended(model, yield* this.#resolveEntry(model, entries))
      const adopted = ended.filter(({ write }) => write?._tag === 'adopt')
      yield* this.#write(model, adopted)
      if (model === 'server') yield* this.#repoint(adopted)
      const free = ended.flatMap(({ entry, write }) => (write?._tag === 'create' ? [entry.id] : []))
      const made = yield* this.#insertRows(model, free, false)
      const taken = free.filter((one) => !made.has(one))
      if (taken.length === 0) return
      if (readings === maxAttempts) return yield* new BranchInConflict({ id, conflicts: taken.length })
      // Other users have taken these keys since they were looked up.
      yield* this.#adopt(model, taken, readings + 1)
    })
  }

  #repoint(adopted: ReadonlyArray<Ended>): Effect.Effect<void, StoreFailed | PlacesMoved> {
    return Effect.gen(this, function* () {
      const { id } = this.#request
      for (const { entry } of adopted) {
        const repointing = { staged: entry.id, adopted: entry.mainId ?? entry.id }
        yield* this.#run((db) => repointChildren(db, id, repointing))
      }
      if (adopted.length > 0) yield* lockPresentPlaces(this.#run, id)
    })
  }

  #insertRows(
    model: ModelName,
    ids: ReadonlyArray<number>,
    asNewRow: boolean,
  ): Effect.Effect<ReadonlySet<number>, StoreFailed> {
    return Effect.gen(this, function* () {
      const { id: branch, by: origin, at } = this.#request
      if (ids.length === 0) return new Set<number>()
      const made = yield* this.#run((db) => insertRows(db, { branch, model, ids, origin, at, asNewRow }))
      if (model === 'snapshot' || model === 'group') {
        const groups = yield* this.#run((db) => groupsOfEntries(db, { branch, model }, [...made]))
        for (const key of groups) this.#groups.set(groupName(key), key)
      }
      if (model === 'namespace') yield* this.#run((db) => recountNamespaces(db, sql`m.id = any(${ids}::bigint[])`))
      this.#count(model, { created: made.size })
      return made
    })
  }

  #changeOf(model: ModelName, { entry, write }: Ended): ReadonlyArray<RowChange> {
    const { id, mainId, sides } = entry
    if (write === null || (write._tag !== 'update' && write._tag !== 'adopt') || write.fields.length === 0) return []
    if (sides.main !== null && writesFact(model, write.fields)) {
      this.#touchGroup(model, sides.main)
      this.#touchGroup(model, {
        ...sides.main,
        ...Object.fromEntries(write.fields.map(({ field, value }) => [field, value])),
      })
    }
    return [{ id: mainId ?? id, fields: write.fields }]
  }

  #touchGroup(model: ModelName, row: FieldValues | null): void {
    if (row === null || (model !== 'snapshot' && model !== 'group')) return
    const key = groupKeyOf(row)
    this.#groups.set(groupName(key), key)
  }

  /** Groups follow their snapshots, so they are not counted. */
  #count(
    model: ModelName,
    { created = 0, updated = 0 }: { readonly created?: number; readonly updated?: number },
  ): void {
    if (model === 'group') return
    this.#counts.created += created
    this.#counts.updated += updated
  }
}

type Ended = Parameters<typeof recordOutcomes>[2][number]

const groupName = ({ server_id: server, ...texts }: GroupKey): string => naturalKey('group', { server, ...texts })

const writesFact = (model: ModelName, fields: ReadonlyArray<FieldChange>): boolean =>
  fields.some(({ field }) => factColumns(model).some((column) => column.field === field))

/** Runs a statement; null: it failed on a taken key, and the transaction is aborted. */
async function unlessTaken<A>(statement: () => Promise<A>): Promise<A | null> {
  try {
    return await statement()
  } catch (cause) {
    if (isUniqueViolation(cause)) return null
    throw cause
  }
}
