import {
  type Branch,
  branchedModels,
  listedModel,
  type ModelName,
  type Scope,
  scopeKey,
  scopeTitle,
} from '@netbox-pbs/core'
import type { BranchNotFound, BranchNotOpen, StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Run } from '../database/session.ts'
import type { Tables } from '../database/tables.ts'
import { branchTable } from './branch-columns.ts'
import { lockOpenBranch, readBranch } from './branch-record.ts'
import { conflictsOf, conflictsOfScopes, type FoundConflict, keepConflicts } from './conflict-rows.ts'
import { entryScope, judgeEntry } from './judge-entry.ts'
import { readEntries } from './read-entries.ts'

/** Entries compared at a time. */
const batchSize = 1000

/** Compares a branch with main as it is now: its conflicts are listed anew, and its state follows. */
export const checkBranch = Effect.fn('Branches.check')(function* (
  database: Database['Type'],
  id: number,
): Effect.fn.Return<Branch, StoreFailed | BranchNotFound | BranchNotOpen> {
  return yield* database.transaction('comparing a branch with main', (run) =>
    Effect.gen(function* () {
      const branch = yield* run((db) => lockOpenBranch(db, id))
      if ('_tag' in branch) return yield* branch
      const author = branch.kind === 'sync' ? 'sync' : 'operator'
      for (const model of branchedModels) yield* checkEntries(run, { branch: id, model, author })
      yield* run((db) => checkGuard(db, id))
      yield* run((db) => dropOrphans(db, id))
      yield* run((db) => settleStatus(db, id))
      const checked = yield* run((db) => readBranch(db, id))
      return checked ?? (yield* Effect.dieMessage('a branch vanished under its lock'))
    }),
  )
})

type Checked = Omit<Parameters<typeof readEntries>[1], 'after' | 'limit'>

/** Goes through the entries of one model, a page at a time. */
function checkEntries(run: Run, checked: Checked): Effect.Effect<void, StoreFailed> {
  const { branch, model } = checked
  const next = (after: number): Effect.Effect<void, StoreFailed> =>
    Effect.gen(function* () {
      const entries = yield* run((db) => readEntries(db, { ...checked, after, limit: batchSize }))
      const last = entries.at(-1)
      if (last === undefined) return
      const stored = yield* run((db) => conflictsOf(db, branch, { model, ids: entries.map(({ id }) => id) }))
      const found = entries.flatMap((entry) =>
        judgeEntry(entry).conflicts.map((conflict): FoundConflict => {
          const scope = entryScope(entry)
          return { ...conflict, objectId: entry.id, scopeKey: scopeKey(scope), scope, title: entry.title }
        }),
      )
      yield* run((db) => keepConflicts(db, { branch, model }, stored, found))
      if (entries.length === batchSize) yield* next(last.id)
    })
  return next(0)
}

interface HeldScope {
  readonly scope: Scope
  readonly held: string
  readonly deletions: number
}

/** The scopes whose deletions the guard asks about. What it asks moves with their number, so that an answer is only for what was seen. */
async function checkGuard(db: Kysely<Tables>, branch: number): Promise<void> {
  const stored = await conflictsOfScopes(db, branch)
  const { rows } = await sql<Omit<HeldScope, 'deletions'>>`
    select scope, held from branch_scopes where branch_id = ${branch}::bigint and held is not null order by scope_key`.execute(
    db,
  )
  const byModel = new Map<ModelName, Array<FoundConflict>>()
  for (const { scope, held } of rows) {
    const model = listedModel[scope.resource]
    const deletions = await deletionsIn(db, branch, scope)
    if (deletions === 0) continue
    const about = { objectId: null, scopeKey: scopeKey(scope), scope, title: scopeTitle(scope) }
    const conflict = {
      kind: 'guard',
      field: null,
      base: null,
      main: null,
      branch: { reason: held, deletions },
    } as const
    byModel.set(model, [...(byModel.get(model) ?? []), { ...conflict, ...about }])
  }
  const models = new Map(stored.map((conflict) => [conflict.id, modelOfScope(conflict.scopeKey)]))
  for (const model of new Set([...byModel.keys(), ...models.values()])) {
    const ofModel = stored.filter(({ id }) => models.get(id) === model)
    await keepConflicts(db, { branch, model }, ofModel, byModel.get(model) ?? [])
  }
}

function modelOfScope(key: string): ModelName {
  const parsed: unknown = JSON.parse(key)
  const resource = Array.isArray(parsed) ? String(parsed[0]) : ''
  return Object.entries(listedModel).find(([name]) => name === resource)?.[1] ?? 'server'
}

async function deletionsIn(db: Kysely<Tables>, branch: number, scope: Scope): Promise<number> {
  const model = listedModel[scope.resource]
  const { rows } = await sql<{ deletions: number }>`
    select count(*) as deletions from ${branchTable(model)} e
    where e.branch_id = ${branch}::bigint and e.op = 'delete' and ${ofScope(scope)}`.execute(db)
  return rows[0]?.deletions ?? 0
}

/** Whether the entry `e` belongs to a scope. */
export function ofScope(scope: Scope) {
  if (scope.resource === 'servers') return sql`true`
  const server = sql`e.server_id = (select id from servers where name = ${scope.server})`
  switch (scope.resource) {
    case 'datastores':
      return server
    case 'namespaces':
      return sql`${server} and e.datastore_name = ${scope.datastore}`
    case 'snapshots':
      return sql`${server} and e.datastore_name = ${scope.datastore} and e.namespace = ${scope.namespace}`
    case 'jobs':
      return sql`${server} and e.job_type = ${scope.job_type}`
  }
}

/** Forgets conflicts of objects that the branch no longer changes. */
async function dropOrphans(db: Kysely<Tables>, branch: number): Promise<void> {
  for (const model of branchedModels) {
    await sql`
      delete from branch_conflicts c where c.branch_id = ${branch}::bigint and c.model = ${model} and c.object_id is not null
        and not exists (select from ${branchTable(model)} e where e.branch_id = c.branch_id and e.id = c.object_id)`.execute(
      db,
    )
  }
}

/** `in_review` while a conflict waits for an answer, else `ready`. */
export async function settleStatus(db: Kysely<Tables>, branch: number): Promise<void> {
  await sql`
    update branches b set checked = now(), status = case when exists (
      select from branch_conflicts c where c.branch_id = b.id and c.resolution is null
    ) then 'in_review' else 'ready' end
    where b.id = ${branch}::bigint`.execute(db)
}
