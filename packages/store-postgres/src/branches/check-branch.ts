import {
  type Branch,
  branchedModels,
  type Conflict,
  type ModelName,
  registry,
  scopeResources,
  scopes,
} from '@netbox-pbs/core'
import type { Branches, BranchNotFound, BranchNotOpen, StoreFailed } from '@netbox-pbs/core/ports'
import { Array as Arr, Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { lockBranchFor, raiseRevision, readLocked } from './branch-record.ts'
import {
  answerable,
  ConflictIndex,
  conflictCondition,
  conflictsOf,
  conflictsOfScopes,
  type FoundConflict,
  keepConflicts,
} from './conflict-rows.ts'
import { guardQuestions, regressions } from './covered-scopes.ts'
import { entryScope, entryScopeKey, type ResolvedEntry, resolveEntry } from './judge-entry.ts'
import { changesKey, resolveKeyConflicts } from './key-conflicts.ts'
import { answerLogged } from './log-branch.ts'
import { type Entry, readEntries } from './read-entries.ts'
import { type EntriesOf, entriesToJudge } from './stale-entries.ts'

/** Entries compared at a time. */
const batchSize = 1000

/** Compares a branch with main as it is now: lists its conflicts again and updates its state. */
export const checkBranch = Effect.fn('Branches.check')(function* (
  database: Database['Type'],
  id: number,
): Effect.fn.Return<Branch, StoreFailed | BranchNotFound | BranchNotOpen> {
  return yield* database.transaction('comparing a branch with main', async (trx) => {
    const branch = await lockBranchFor(trx, id, 'check')
    if (branch instanceof Error) return branch
    return await compareBranch(trx, { id, kind: branch.kind })
  })
})

/** Compares a branch with main in the transaction at hand, under the branch's lock. */
export async function compareBranch(db: Kysely<Tables>, { id, kind }: Pick<Branch, 'id' | 'kind'>): Promise<Branch> {
  const author = kind === 'sync' ? 'sync' : 'operator'
  for (const model of branchedModels) await checkEntries(db, { branch: id, model, author })
  await checkScopes(db, id)
  await updateStatus(db, id)
  return await readLocked(db, id)
}

interface Checked {
  readonly branch: number
  readonly model: ModelName
  readonly author: 'sync' | 'operator'
}

/**
 * Goes through the entries of one model that are stale: deletions and updates first, because they
 * determine which keys a creation finds free.
 */
async function checkEntries(db: Kysely<Tables>, checked: Checked): Promise<void> {
  const { branch, model } = checked
  const stale = await entriesToJudge(db, checked)
  await dropResolved(db, checked, stale)
  const each = (op: Entry['op'], use: (entries: ReadonlyArray<Entry>) => Promise<unknown>) =>
    eachPage(db, checked, { ids: stale, op }, use)
  // Rows of main that keep their keys, although an entry would delete or rename them.
  const kept = new Set<number>()
  const keepKey = ({ entry }: ResolvedEntry) => entry.mainId !== null && kept.add(entry.mainId)
  const keyConflicts: Array<ResolvedEntry> = []
  await each('delete', async (entries) => {
    for (const one of await checkPage(db, checked, entries)) if (isLeftOut(one)) keepKey(one)
  })
  await each('update', async (entries) => {
    for (const one of await checkPage(db, checked, entries)) {
      if (changesKey(model, one)) keyConflicts.push(one)
      else if (touchesKey(one.entry)) keepKey(one)
    }
  })
  const vacates = (id: number) => !kept.has(id)
  const judged = await resolveKeyConflicts(db, { branch, model, decided: keyConflicts, vacates })
  for (const one of judged) if (one.merged.conflicts.some(isCollision)) keepKey(one)
  await keepCollisions(db, { branch, model }, judged)
  await each('create', (entries) => {
    const free = ({ vacated, mainId }: Entry) => vacated && mainId !== null && vacates(mainId)
    return checkPage(
      db,
      checked,
      entries.map((entry) => (free(entry) ? withoutMain(entry) : entry)),
    )
  })
}

/** Iterates over the entries of one model and kind in batches. */
async function eachPage(
  db: Kysely<Tables>,
  checked: Checked,
  { ids, op }: { readonly ids: ReadonlyArray<number>; readonly op: Entry['op'] },
  use: (entries: ReadonlyArray<Entry>) => Promise<unknown>,
): Promise<void> {
  for (const some of Arr.chunksOf(ids, batchSize)) {
    const where = sql`e.id = any(${some}::bigint[]) and e.op = ${op}`
    const entries = await readEntries(db, { ...checked, after: 0, limit: batchSize, where })
    if (entries.length > 0) await use(entries)
  }
}

/**
 * Reconciles the conflicts of entries, and returns the results. Whether their keys are taken is not
 * known yet.
 */
async function checkPage(
  db: Kysely<Tables>,
  { branch, model }: Checked,
  entries: ReadonlyArray<Entry>,
): Promise<ReadonlyArray<ResolvedEntry>> {
  const stored = await conflictsOf(db, branch, { model, ids: entries.map(({ id }) => id) })
  const index = new ConflictIndex(stored)
  const decided = entries.map((entry) => resolveEntry(entry, index))
  const own = stored.filter((conflict) => !isCollision(conflict))
  await keepConflicts(db, { branch, model }, own, decided.flatMap(foundOf))
  return decided
}

async function keepCollisions(
  db: Kysely<Tables>,
  { branch, model }: Pick<Checked, 'branch' | 'model'>,
  decided: ReadonlyArray<ResolvedEntry>,
): Promise<void> {
  const stored = await conflictsOf(db, branch, { model, kind: 'unique_collision' })
  await keepConflicts(db, { branch, model }, stored, decided.flatMap(foundOf).filter(isCollision))
}

const isCollision = ({ kind }: Pick<Conflict, 'kind'>): boolean => kind === 'unique_collision'

/** A deletion that a reviewer decided against. */
const isLeftOut = ({ resolved }: ResolvedEntry): boolean =>
  resolved._tag === 'skipped' || (resolved._tag === 'write' && resolved.write._tag === 'none')

const touchesKey = ({ sides: { model, branch } }: Entry): boolean =>
  registry[model].key.some((field) => Object.hasOwn(branch ?? {}, field))

/** A creation whose key is free once the branch has landed. */
const withoutMain = (entry: Entry): Entry => ({ ...entry, mainId: null, sides: { ...entry.sides, main: null } })

function foundOf({ entry, merged }: ResolvedEntry): ReadonlyArray<FoundConflict> {
  const scope = entryScope(entry)
  const about = {
    objectId: entry.id,
    scopeKey: entryScopeKey(entry),
    serverId: entry.serverId,
    scope,
    title: entry.title,
  }
  return merged.conflicts.map((conflict) => ({ ...conflict, ...about }))
}

/**
 * Conflicts of whole scopes: deletions that the guard holds, and lists that are older than main's.
 */
async function checkScopes(db: Kysely<Tables>, branch: number): Promise<void> {
  const stored = await conflictsOfScopes(db, branch)
  const found = [...(await guardQuestions(db, branch)), ...(await regressions(db, branch))]
  const models = new Map(stored.map((conflict) => [conflict.id, modelOfScope(conflict.scopeKey)]))
  for (const model of new Set([...found.map((one) => one.model), ...models.values()])) {
    const ofModel = stored.filter(({ id }) => models.get(id) === model)
    const foundOf = found.filter((one) => one.model === model)
    await keepConflicts(db, { branch, model }, ofModel, foundOf)
  }
}

function modelOfScope(key: string): ModelName {
  const parsed: unknown = JSON.parse(key)
  const resource = scopeResources.find((name) => Array.isArray(parsed) && parsed[0] === name)
  return scopes[resource ?? 'servers'].lists
}

/**
 * Discards conflicts of objects that the branch no longer changes, or that main still has as the
 * branch found them.
 */
async function dropResolved(
  db: Kysely<Tables>,
  { branch, model }: EntriesOf,
  judged: ReadonlyArray<number>,
): Promise<void> {
  await sql`
    delete from branch_conflicts c where c.branch_id = ${branch}::bigint and c.model = ${model} and c.object_id is not null
      and not exists (select from unnest(${judged}::bigint[]) as u (id) where u.id = c.object_id)`.execute(db)
}

/** `in_review` while a conflict waits for an answer, else `ready`. */
async function updateStatus(db: Kysely<Tables>, branch: number): Promise<void> {
  await sql`
    update branches b set checked = now(), status = case when exists (
      select from branch_conflicts c where c.branch_id = b.id and c.resolution is null
    ) then 'in_review' else 'ready' end
    where b.id = ${branch}::bigint`.execute(db)
}

/** Answers the conflicts of a branch that a filter finds, or takes their answers back. Returns how many it found. */
export const resolveConflicts = Effect.fn('Branches.resolve')(function* (
  database: Database['Type'],
  { id, filter, resolution, user, by }: Parameters<Branches['Type']['resolve']>[0],
): Effect.fn.Return<number, StoreFailed | BranchNotFound | BranchNotOpen> {
  return yield* database.transaction('resolving conflicts', async (trx) => {
    const branch = await lockBranchFor(trx, id, 'resolve')
    if (branch instanceof Error) return branch
    const answer =
      resolution === null
        ? sql`resolution = null, resolved_by = '', resolved_at = null`
        : sql`
        resolution = ${jsonb(resolution)}, resolved_by = ${user}::text, resolved_at = now()`
    const possible = resolution === null ? sql`true` : answerable(resolution)
    const where = sql`${conflictCondition(id, filter)} and ${possible}`
    const answered = await answerLogged(trx, id, { where, answer, by })
    await updateStatus(trx, id)
    await raiseRevision(trx, id, by)
    return answered
  })
})
