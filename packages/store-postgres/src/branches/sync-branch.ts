import { type Branch, branchedModels, type FieldValues, registryVersion, resolve } from '@netbox-pbs/core'
import {
  type Branches,
  BranchInConflict,
  type BranchNotFound,
  type BranchNotOpen,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Array as Arr, Effect } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { columnNames, ofJson, tables } from '../tables/columns.ts'
import { branchTable, mergedColumns } from './branch-columns.ts'
import { lockBranchFor, raiseRevision, readLocked } from './branch-record.ts'
import { checkBranch, compareBranch } from './check-branch.ts'
import { ConflictIndex, conflictsOf } from './conflict-rows.ts'
import { entryScopeKey, judgeEntry } from './judge-entry.ts'
import { logStep } from './log-branch.ts'
import { childModels, type Entry, readEntries } from './read-entries.ts'
import { outcomeOf, type Written } from './record-outcomes.ts'
import { type EntriesOf, entriesToJudge } from './stale-entries.ts'
import { markEntriesStale } from './stale-groups.ts'
import { clearBranchDigests } from './waiting-groups.ts'

/** Entries rebased at a time. */
const batchSize = 2000

/**
 * Rebases a branch on main and compares the two again. Each entry gets main's present value as its
 * base, and resolved conflicts are applied; nothing is rebased while a conflict is open, because a
 * new base would hide it.
 */
export const syncBranch = Effect.fn('Branches.sync')(function* (
  database: Database['Type'],
  { id, commit, by }: Parameters<Branches['Type']['sync']>[0],
): Effect.fn.Return<Branch, StoreFailed | BranchNotFound | BranchNotOpen | BranchInConflict> {
  return yield* database
    .transaction(
      'rebasing a branch on main',
      async (trx) => {
        const locked = await lockBranchFor(trx, id, 'sync')
        if (locked instanceof Error) return locked
        const { kind } = locked
        const before = await readLocked(trx, id)
        const { conflicts } = await compareBranch(trx, { id, kind })
        if (conflicts > 0) return new BranchInConflict({ id, conflicts })
        let rebased = 0
        for (const model of branchedModels) rebased += await rebaseModel(trx, { branch: id, model, kind })
        if (rebased > 0) await clearBranchDigests(trx, id)
        if (rebased > 0) await raiseRevision(trx, id, by)
        const after = await compareBranch(trx, { id, kind })
        // A branch that is not stale is only compared.
        if (rebased > 0) await logStep(trx, { before, after, by })
        return after
      },
      { commit },
    )
    .pipe(
      // The conflicts are listed, so that they can be resolved.
      Effect.tapErrorTag('BranchInConflict', () => (commit ? Effect.ignore(checkBranch(database, id)) : Effect.void)),
    )
})

/**
 * Goes through the stale entries of one model in batches, and returns the number of changed ones.
 */
async function rebaseModel(db: Kysely<Tables>, entriesOf: EntriesOf & Pick<Branch, 'kind'>): Promise<number> {
  const { branch, model, kind } = entriesOf
  const author = kind === 'sync' ? 'sync' : 'operator'
  const judged = await entriesToJudge(db, { branch, model, author })
  let rebased = 0
  for (const ids of Arr.chunksOf(judged, batchSize)) {
    const entries = await readEntries(db, {
      branch,
      model,
      author,
      after: 0,
      limit: batchSize,
      where: sql`e.id = any(${ids}::bigint[])`,
    })
    const index = new ConflictIndex(await conflictsOf(db, branch, { model, ids }))
    const changed = entries.flatMap((entry) => changeOf(entry, index) ?? [])
    await rebaseAll(db, entriesOf, changed)
    rebased += changed.length
  }
  return rebased
}

/** The new content of an entry, when it differs. Null: it stays. */
function changeOf(entry: Entry, index: ConflictIndex): Written | null {
  const merged = judgeEntry(entry)
  const key = entryScopeKey(entry)
  const answers = merged.conflicts.map(
    (conflict) => index.same({ ...conflict, objectId: entry.id, scopeKey: key })?.resolution ?? null,
  )
  // The source will report the rejected value again: until the branch merges, only the answer
  // records the decision.
  if (entry.sides.author === 'sync' && answers.some((answer) => answer?.choice !== 'branch')) return null
  const resolved = resolve(entry.sides, merged, (conflict) => answers[merged.conflicts.indexOf(conflict)] ?? null)
  if (resolved._tag === 'open') return null
  const written = { entry, write: resolved._tag === 'write' ? resolved.write : null }
  return outcomeOf(written) === null ? null : written
}

async function rebaseAll(db: Kysely<Tables>, entriesOf: EntriesOf, changed: ReadonlyArray<Written>): Promise<void> {
  const removed: Array<number> = []
  const made: Array<number> = []
  const deleted: Array<number> = []
  const updated: Array<RebasedUpdate> = []
  for (const { entry, write } of changed) {
    const { id, mainId, op, unlisted, sides } = entry
    switch (write?._tag) {
      case 'create':
        made.push(id)
        break
      case 'delete':
        deleted.push(id)
        break
      case 'adopt':
      case 'update':
        if (mainId !== null && (write.fields.length > 0 || (unlisted && sides.author === 'sync'))) {
          const before = Object.fromEntries(write.fields.map(({ field, base }) => [field, base]))
          const after = Object.fromEntries(write.fields.map(({ field, value }) => [field, value]))
          updated.push({ id, mainId, before, after })
        } else removed.push(id)
        break
      case 'none':
      case undefined:
        // A row that the run only lists stays listed.
        if (op === 'update' && mainId !== null && unlisted && sides.author === 'sync')
          updated.push({ id, mainId, before: {}, after: {} })
        else removed.push(id)
        break
    }
  }
  if (entriesOf.model === 'snapshot') {
    const ids = changed.map(({ entry }) => entry.id)
    await markEntriesStale(db, entriesOf.branch, ids)
  }
  await dropEntries(db, entriesOf, removed)
  await rebaseUpdates(db, entriesOf, updated)
  await rebaseCreates(db, entriesOf, made)
  await rebaseDeletes(db, entriesOf, deleted)
}

/**
 * An entry that says the same as an update of main's row as it is now: of each touched field main's
 * value, and the one it gets.
 */
interface RebasedUpdate {
  readonly id: number
  readonly mainId: number
  readonly before: FieldValues
  readonly after: FieldValues
}

/** Takes entries out of a branch. */
export async function dropEntries(db: Kysely<Tables>, { branch, model }: EntriesOf, ids: ReadonlyArray<number>) {
  if (ids.length === 0) return
  await sql`delete from ${branchTable(model)} where branch_id = ${branch}::bigint and id = any(${ids}::bigint[])`.execute(
    db,
  )
}

/**
 * Makes entries updates of main's rows as they are now. A creation whose key main has by now
 * becomes an update of main's row.
 */
async function rebaseUpdates(
  db: Kysely<Tables>,
  { branch, model }: EntriesOf,
  updates: ReadonlyArray<RebasedUpdate>,
): Promise<void> {
  if (updates.length === 0) return
  const rows = updates.map(({ id, mainId, before, after }) => ({ id, main_id: mainId, before, after }))
  const columns = mergedColumns(model).map((column) => {
    const { field, name } = column
    return sql`${sql.id(name)} = case when r.after ? ${field}::text then ${ofJson(sql`r.after`, column)} else ${sql.ref(`m.${name}`)} end`
  })
  await sql`
    update ${branchTable(model)} e set op = 'update', id = r.main_id, touched = array(select jsonb_object_keys(r.after)), base = r.before,
      observation = null, ${renewed}, ${sql.join(columns)}
    from jsonb_to_recordset(${jsonb(rows)}) as r (id bigint, main_id bigint, before jsonb, after jsonb)
    join ${sql.table(tables[model])} m on m.id = r.main_id
    where e.branch_id = ${branch}::bigint and e.id = r.id`.execute(db)
  const adopted = updates.filter(({ id, mainId }) => id !== mainId)
  if (model === 'server') await pointChildren(db, branch, adopted)
}

/** Makes entries whose rows main has lost creations of them, under ids of their own. */
async function rebaseCreates(
  db: Kysely<Tables>,
  { branch, model }: EntriesOf,
  ids: ReadonlyArray<number>,
): Promise<void> {
  if (ids.length === 0) return
  const { rows } = await sql<{ id: number; mainId: number }>`
    with n as materialized (
      select u.id, nextval(pg_get_serial_sequence(${tables[model]}, 'id')) as next from unnest(${ids}::bigint[]) as u (id)
    )
    update ${branchTable(model)} e set op = 'create', id = n.next, touched = '{}', base = '{}', ${renewed}
    from n where e.branch_id = ${branch}::bigint and e.id = n.id returning n.id, n.next as "mainId"`.execute(db)
  if (model === 'server') await pointChildren(db, branch, rows)
}

/** Makes deletions those of main's rows as they are now. */
async function rebaseDeletes(
  db: Kysely<Tables>,
  { branch, model }: EntriesOf,
  ids: ReadonlyArray<number>,
): Promise<void> {
  if (ids.length === 0) return
  const columns = mergedColumns(model)
  await sql`
    update ${branchTable(model)} e set ${renewed}, (${columnNames(columns)}) = row(${columnNames(columns, 'm')})
    from ${sql.table(tables[model])} m
    where e.branch_id = ${branch}::bigint and e.id = any(${ids}::bigint[]) and m.id = e.id`.execute(db)
}

/** Main may change between the read of an entry and this step; a later comparison detects that. */
const renewed: RawBuilder<unknown> = sql`registry_version = ${registryVersion}::bigint, last_updated = greatest(now(), e.last_updated + interval '1 microsecond'), seen_version = null`

/** Points what a branch has below servers to the ids that these have now. */
export async function pointChildren(
  db: Kysely<Tables>,
  branch: number,
  servers: ReadonlyArray<{ readonly id: number; readonly mainId: number }>,
): Promise<void> {
  for (const { id, mainId } of servers) {
    for (const model of childModels) {
      await sql`
        update ${branchTable(model)} set server_id = ${mainId}::bigint
        where branch_id = ${branch}::bigint and server_id = ${id}::bigint`.execute(db)
    }
  }
}
