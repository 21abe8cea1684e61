import { addRows, branchedModels, type ModelName, noRows, type RowCounts, scopeResourceOf } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { add, landDeletions, landUpserts, type WindowStep } from '../change-sets/land.ts'
import { ensureGroups, groupsOf } from '../change-sets/land-groups.ts'
import type { LastSeen } from '../change-sets/land-rows.ts'
import { eachWindow, readWindows, type Window } from '../change-sets/windows.ts'
import { columnNames, keyColumns, sameKey, sameScope, tables } from '../tables/columns.ts'
import { notePending } from '../writes/pending-since.ts'
import { amongGroups, pruneGroups, recountGroups, recountNamespaces } from '../writes/recount.ts'

type Windows = ReadonlyMap<ModelName, ReadonlyArray<Window>>

/**
 * Lands what a branch comes to, staged in one part whatever scopes it is of, with the statements
 * that land a scope: first the deletions from the leaves up, then the rest from the roots down.
 * Hold the locks of its scopes.
 */
export async function landBranch(step: WindowStep, part: number): Promise<RowCounts> {
  const windows = await allWindows(step, part)
  let counts = noRows
  const of = (model: ModelName) => windows.get(model) ?? []
  for (const model of branchedModels.toReversed()) {
    counts = addRows(counts, counted(model, await landDeletions(step, of(model), model)))
    if (model === 'group') await dropEmptied(step, { snapshots: of('snapshot'), groups: of('group') }, part)
  }
  for (const model of branchedModels) {
    counts = addRows(counts, counted(model, await landUpserts(step, of(model), model)))
    if (model === 'server' && of(model).length > 0) await notePending(step.db)
    if (model === 'snapshot') await countWritten(step, of(model))
  }
  await recountNamespaces(step.db, touchedNamespace(part))
  return counts
}

/** Groups follow their snapshots, so a merge does not count them. */
const counted = (model: ModelName, rows: RowCounts): RowCounts => (model === 'group' ? noRows : rows)

async function allWindows({ db, engine }: WindowStep, part: number): Promise<Windows> {
  const windows = new Map<ModelName, ReadonlyArray<Window>>()
  for (const model of branchedModels) windows.set(model, await readWindows(db, engine, `staged_${tables[model]}`, part))
  return windows
}

const deletes = (windows: ReadonlyArray<Window>): ReadonlyArray<Window> =>
  windows.filter((window) => window.deletes > 0)

/**
 * Removes the groups that neither the source lists nor a snapshot needs any more. Only those that
 * it does not list are counted for it.
 */
async function dropEmptied(
  { db, engine, writer }: WindowStep,
  { snapshots, groups }: { readonly snapshots: ReadonlyArray<Window>; readonly groups: ReadonlyArray<Window> },
  part: number,
): Promise<void> {
  const losing = deletes(snapshots)
  await eachWindow(engine, losing, (window) =>
    recountGroups(db, unlisted(window), { watch: writer.watch, discard: true }),
  )
  if (losing.length === 0 && deletes(groups).length === 0) return
  await pruneGroups(db, amongGroups(deletedFrom(part)), { writer })
}

const groupKey = keyColumns('group')

/** The keys of the groups in which a window deletes snapshots, and which their source does not list. */
const unlisted = (window: Window): RawBuilder<unknown> => sql`
  select ${columnNames(groupKey, 'u')} from (${groupsOf(window, sql`w.op = 'delete'`)}) k
  join groups u on ${sameKey('group', 'u', 'k')} where u.presence <> 'listed'`

/**
 * Creates the groups that new snapshots lack, and recounts those with a written or deleted
 * snapshot.
 */
async function countWritten({ db, engine, writer, made }: WindowStep, windows: ReadonlyArray<Window>): Promise<void> {
  await eachWindow(engine, windows, async (window) => {
    if (window.creates > 0) add(made, 'group', await ensureGroups(db, window))
    await recountGroups(db, groupsOf(window, sql`true`), { watch: writer.watch, discard: true })
  })
}

/** The keys of the groups that a part deletes, or deletes snapshots of. */
function deletedFrom(part: number): RawBuilder<unknown> {
  const key = columnNames(groupKey, 'w')
  const deletions = sql`w.part_id = ${part}::bigint and w.op = 'delete'`
  return sql`select ${key} from staged_snapshots w where ${deletions} union select ${key} from staged_groups w where ${deletions}`
}

/** The namespaces, under the alias `m`, in which a part writes anything that they count. */
const touchedNamespace = (part: number): RawBuilder<unknown> => sql`(m.server_id, m.datastore_name, m.path) in (
  select w.server_id, w.datastore_name, w.namespace from staged_snapshots w where w.part_id = ${part}::bigint
  union select w.server_id, w.datastore_name, w.namespace from staged_groups w where w.part_id = ${part}::bigint
  union select w.server_id, w.datastore_name, w.path from staged_namespaces w where w.part_id = ${part}::bigint and w.op = 'create'
)`

/** Models whose rows a merge keeps under a parent that stays. */
const keptWithParent: ReadonlyArray<ModelName> = ['datastore', 'namespace', 'group']

/** When the scope of a row was last listed whole. Of models whose rows a merge never keeps there is nothing to ask. */
export const lastListed: LastSeen = (model, alias) => {
  if (!keptWithParent.includes(model)) return sql`null::timestamptz`
  const resource = scopeResourceOf(model)
  return sql`(select max(c.last_complete_at) from scopes c where c.resource = ${resource} and ${sameScope(resource, 'c', alias)})`
}
