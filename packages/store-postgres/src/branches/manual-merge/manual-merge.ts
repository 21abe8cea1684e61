import {
  type BranchKind,
  type FieldChange,
  type FieldValues,
  keyText,
  type MergeStep,
  type ModelName,
  mergeSteps,
  naturalKey,
} from '@netbox-pbs/core'
import { BranchInConflict, type MergeOutcome } from '@netbox-pbs/core/ports'
import { type Kysely, sql } from 'kysely'
import type { Origin } from '../../change-log/append-changes.ts'
import { isUniqueViolation } from '../../database/store-errors.ts'
import type { Tables } from '../../database/tables.ts'
import { factColumns } from '../../tables/columns.ts'
import { changeRows, type RowChange } from '../../writes/change-rows.ts'
import { deleteServers, type LeavingServer } from '../../writes/delete-servers.ts'
import { judgeGroups } from '../../writes/judge-groups.ts'
import { notePending } from '../../writes/pending-since.ts'
import { type GroupKey, groupKeyOf, recountNamespaces, recountTouchedGroups } from '../../writes/recount.ts'
import { deleteRowsById } from '../../writes/write-rows.ts'
import type { Writer } from '../../writes/writer.ts'
import { lockPresentPlaces } from '../branch-places.ts'
import { readLocked } from '../branch-record.ts'
import { ConflictIndex, conflictsOf, hasConflicts } from '../conflict-rows.ts'
import { type ResolvedEntry, resolveEntry } from '../judge-entry.ts'
import { changesKey, resolveKeyConflicts } from '../key-conflicts.ts'
import { endMerged } from '../land-branch.ts'
import { type Entry, readEntries } from '../read-entries.ts'
import { recordOutcomes, refreshOutcomes } from '../record-outcomes.ts'
import { reviewTouchedScopes } from '../review-scopes.ts'
import { branchWatch } from '../stale-groups.ts'
import { pointChildren } from '../sync-branch.ts'
import {
  creationIds,
  freeServers,
  groupsOfEntries,
  insertEntryRows,
  logEntryMessages,
  removeNamespaces,
  unlistGroups,
} from './entry-rows.ts'

/** The branch to merge, the author, and the time (RFC 3339). */
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

/** One merge, inside its transaction, as far as it has come. */
interface Merge {
  readonly db: Kysely<Tables>
  readonly request: Request
  readonly writer: Writer
  readonly counts: { created: number; updated: number; deleted: number }
  /** The groups of the snapshots that it has written, by name. */
  readonly groups: Map<string, GroupKey>
  /** The groups that it has changed. */
  readonly changedGroups: Set<number>
  /** Entries that are left out. */
  skipped: number
  /** Servers are deleted last, because of their child rows. */
  servers: ReadonlyArray<LeavingServer>
  namespaces: ReadonlyArray<number>
  /** Whether the branch ever had a conflict, null: not looked up. Most merges have no answers to apply. */
  answers: boolean | null
}

/**
 * Lands a user's branch or a revert branch in the current transaction, in batches of thousands of
 * rows, and stops at the first step with a conflict, because later steps build on it. The caller
 * holds the locks of the merge, of the namespaces concerned and of the branch.
 */
export async function mergeManually(db: Kysely<Tables>, request: Request): Promise<MergeOutcome | BranchInConflict> {
  const { id, at, by, kind } = request
  const writer = { origin: by, watch: branchWatch }
  const merge: Merge = {
    db,
    request,
    writer,
    counts: { created: 0, updated: 0, deleted: 0 },
    groups: new Map(),
    changedGroups: new Set(),
    skipped: 0,
    servers: [],
    namespaces: [],
    answers: null,
  }
  for (const step of mergeSteps) {
    const conflict = await takeStep(merge, step)
    if (conflict !== null) return conflict
  }
  await recountTouchedGroups(db, [...merge.groups.values()], writer)
  // An objective may be about their tags.
  await judgeGroups(db, sql`g.id = any(${[...merge.changedGroups]}::bigint[])`)
  merge.counts.deleted += await removeNamespaces(db, { ids: merge.namespaces, writer })
  merge.counts.deleted += await deleteServers(db, { servers: merge.servers, writer })
  await notePending(db)
  await logEntryMessages(db, id)
  await refreshOutcomes(db, id)
  // The source will report the reverted change again.
  if (kind === 'revert') await reviewTouchedScopes(db, id)
  await endMerged(db, id, { at, by })
  return { branch: await readLocked(db, id), counts: merge.counts, skipped: merge.skipped }
}

async function takeStep(merge: Merge, { model, op }: MergeStep): Promise<BranchInConflict | null> {
  if (op === 'create') return await createAll(merge, model)
  const where = sql`e.op = ${op}`
  const keyConflicts: Array<ResolvedEntry> = []
  for (let after: number | undefined = 0; after !== undefined; ) {
    const entries: ReadonlyArray<Entry> = await readPage(merge, model, { where, after })
    const decided = await resolveEntries(merge, model, entries)
    keyConflicts.push(...decided.filter((one) => changesKey(model, one)))
    const ended = await endEntries(
      merge,
      model,
      decided.filter((one) => !changesKey(model, one)),
    )
    if (ended instanceof Error) return ended
    await (op === 'delete' ? removeEntries(merge, model, ended) : writeEntries(merge, model, ended))
    after = entries.length < batchSize ? undefined : entries.at(-1)?.id
  }
  return keyConflicts.length === 0 ? null : await renameEntries(merge, model, keyConflicts)
}

/**
 * A creation whose key is free is inserted without being read, because main has nothing to
 * compare it with.
 */
async function createAll(merge: Merge, model: ModelName): Promise<BranchInConflict | null> {
  const branch = merge.request.id
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page = { branch, model, after, limit: batchSize }
    const ids: ReadonlyArray<number> = await creationIds(merge.db, page)
    const made = await insertEntries(merge, model, ids, false)
    const others = ids.filter((id) => !made.has(id))
    const conflict = others.length === 0 ? null : await adoptEntries(merge, model, others)
    if (conflict !== null) return conflict
    after = ids.length < batchSize ? undefined : ids.at(-1)
  }
  return null
}

function readPage(
  merge: Merge,
  model: ModelName,
  { where, after = 0 }: { readonly where: ReturnType<typeof sql>; readonly after?: number },
): Promise<ReadonlyArray<Entry>> {
  const { id } = merge.request
  const page = { branch: id, model, author: 'operator', after, limit: batchSize, where, lock: true } as const
  return readEntries(merge.db, page)
}

async function resolveEntries(
  merge: Merge,
  model: ModelName,
  entries: ReadonlyArray<Entry>,
): Promise<ReadonlyArray<ResolvedEntry>> {
  if (entries.length === 0) return []
  const { id: branch } = merge.request
  merge.answers ??= await hasConflicts(merge.db, branch)
  const ids = entries.map(({ id }) => id)
  const stored = merge.answers ? await conflictsOf(merge.db, branch, { model, ids }) : []
  const index = new ConflictIndex(stored)
  return entries.map((entry) => resolveEntry(entry, index))
}

/**
 * The writes of resolved entries. Counts the entries that are left out, records the outcome of
 * each; a conflict when one of them has no answer.
 */
async function endEntries(
  merge: Merge,
  model: ModelName,
  decided: ReadonlyArray<ResolvedEntry>,
): Promise<ReadonlyArray<Ended> | BranchInConflict> {
  const { id } = merge.request
  const open = decided.flatMap(({ resolved }) => (resolved._tag === 'open' ? resolved.conflicts : []))
  if (open.length > 0) return new BranchInConflict({ id, conflicts: open.length })
  const ended = decided.map(({ entry, resolved }) => ({
    entry,
    write: resolved._tag === 'write' ? resolved.write : null,
  }))
  merge.skipped += ended.filter(({ write }) => write === null).length
  if (ended.length > 0) await recordOutcomes(merge.db, { branch: id, model }, ended)
  return ended
}

async function removeEntries(merge: Merge, model: ModelName, ended: ReadonlyArray<Ended>): Promise<void> {
  const going = ended.filter(({ write }) => write?._tag === 'delete')
  const ids = going.map(({ entry }) => entry.id)
  if (ids.length === 0) return
  for (const { entry } of going) touchGroup(merge, model, entry.sides.main)
  if (model === 'server') merge.servers = [...merge.servers, ...(await freeServers(merge.db, ids))]
  else if (model === 'namespace') merge.namespaces = [...merge.namespaces, ...ids]
  else if (model === 'group') await unlistGroups(merge.db, ids)
  else merge.counts.deleted += await deleteRowsById(merge.db, model, { ids, writer: merge.writer })
}

async function writeEntries(merge: Merge, model: ModelName, ended: ReadonlyArray<Ended>): Promise<void> {
  const rows = ended.flatMap((one) => rowChangeOf(merge, model, one))
  const updated = await changeRows(merge.db, model, { rows, origin: merge.request.by })
  // Adopted rows keep their keys, as all others of this step do.
  if (typeof updated !== 'number') throw new Error(`a ${model} that was to keep its key changed it`)
  count(merge, model, { updated })
}

/**
 * Changes keys, and restores rows that main has lost and a reviewer keeps, which claim their old
 * keys.
 */
async function renameEntries(
  merge: Merge,
  model: ModelName,
  decided: ReadonlyArray<ResolvedEntry>,
): Promise<BranchInConflict | null> {
  const { id, by } = merge.request
  // Deletions have landed, so a row that is still there stays.
  const keyConflicts = { branch: id, model, decided, vacates: () => false }
  const ended = await endEntries(merge, model, await resolveKeyConflicts(merge.db, keyConflicts))
  if (ended instanceof Error) return ended
  const rows = ended.flatMap((one) => rowChangeOf(merge, model, one))
  const updated = await nullWhenTaken(() => changeRows(merge.db, model, { rows, origin: by }))
  // Another user has just taken such a key: the next comparison of the branch shows it.
  if (typeof updated !== 'number') return new BranchInConflict({ id, conflicts: 1 })
  count(merge, model, { updated })
  const lost = ended.flatMap(({ entry, write }) => (write?._tag === 'create' ? [entry.id] : []))
  const made = await insertEntries(merge, model, lost, true)
  return made.size < lost.length ? new BranchInConflict({ id, conflicts: 1 }) : null
}

/** Merges creations with the rows of main that have their keys, or returns the conflict that prevents it. */
async function adoptEntries(
  merge: Merge,
  model: ModelName,
  ids: ReadonlyArray<number>,
  attempt = 1,
): Promise<BranchInConflict | null> {
  const { id } = merge.request
  const entries = await readPage(merge, model, { where: sql`e.id = any(${ids}::bigint[])` })
  const ended = await endEntries(merge, model, await resolveEntries(merge, model, entries))
  if (ended instanceof Error) return ended
  const adopted = ended.filter(({ write }) => write?._tag === 'adopt')
  await writeEntries(merge, model, adopted)
  if (model === 'server') await repoint(merge, adopted)
  const free = ended.flatMap(({ entry, write }) => (write?._tag === 'create' ? [entry.id] : []))
  const made = await insertEntries(merge, model, free, false)
  const taken = free.filter((one) => !made.has(one))
  if (taken.length === 0) return null
  if (attempt === maxAttempts) return new BranchInConflict({ id, conflicts: taken.length })
  // Other users have taken these keys since they were looked up.
  return await adoptEntries(merge, model, taken, attempt + 1)
}

/** Moves the branch's rows below servers of its own to main's new servers of the same names. */
async function repoint(merge: Merge, adopted: ReadonlyArray<Ended>): Promise<void> {
  const { id } = merge.request
  const servers = adopted.map(({ entry }) => ({ id: entry.id, mainId: entry.mainId ?? entry.id }))
  await pointChildren(merge.db, id, servers)
  if (adopted.length > 0) await lockPresentPlaces(merge.db, id)
}

async function insertEntries(
  merge: Merge,
  model: ModelName,
  ids: ReadonlyArray<number>,
  asNewRow: boolean,
): Promise<ReadonlySet<number>> {
  const { id: branch, by: origin, at } = merge.request
  if (ids.length === 0) return new Set<number>()
  const made = await insertEntryRows(merge.db, { branch, model, ids, origin, at, asNewRow })
  if (model === 'snapshot' || model === 'group') {
    const groups = await groupsOfEntries(merge.db, { branch, model }, [...made])
    for (const key of groups) merge.groups.set(groupName(key), key)
  }
  if (model === 'namespace') await recountNamespaces(merge.db, sql`m.id = any(${ids}::bigint[])`)
  count(merge, model, { created: made.size })
  return made
}

function rowChangeOf(merge: Merge, model: ModelName, { entry, write }: Ended): ReadonlyArray<RowChange> {
  const { id, mainId, sides } = entry
  if (write === null || (write._tag !== 'update' && write._tag !== 'adopt') || write.fields.length === 0) return []
  const values = Object.fromEntries(write.fields.map(({ field, value }) => [field, value]))
  if (sides.main !== null && writesFact(model, write.fields)) {
    touchGroup(merge, model, sides.main)
    touchGroup(merge, model, { ...sides.main, ...values })
  }
  if (model === 'group') merge.changedGroups.add(mainId ?? id)
  return [{ id: mainId ?? id, values }]
}

function touchGroup(merge: Merge, model: ModelName, row: FieldValues | null): void {
  if (row === null || (model !== 'snapshot' && model !== 'group')) return
  const key = groupKeyOf(row)
  merge.groups.set(groupName(key), key)
}

/** Groups follow their snapshots, so they are not counted. */
function count(
  merge: Merge,
  model: ModelName,
  { created = 0, updated = 0 }: { readonly created?: number; readonly updated?: number },
): void {
  if (model === 'group') return
  merge.counts.created += created
  merge.counts.updated += updated
}

type Ended = Parameters<typeof recordOutcomes>[2][number]

const groupName = ({ server_id: server, ...texts }: GroupKey): string =>
  keyText(naturalKey('group', { server, ...texts }))

const writesFact = (model: ModelName, fields: ReadonlyArray<FieldChange>): boolean =>
  fields.some(({ field }) => factColumns(model).some((column) => column.field === field))

/** Runs a statement; null: it failed on a taken key, and the transaction is aborted. */
async function nullWhenTaken<A>(statement: () => Promise<A>): Promise<A | null> {
  try {
    return await statement()
  } catch (cause) {
    if (isUniqueViolation(cause)) return null
    throw cause
  }
}
