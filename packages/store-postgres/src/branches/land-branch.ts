import {
  type Author,
  addRows,
  branchedModels,
  type Conflict,
  type FieldValue,
  type ModelName,
  mergeSteps,
  noRows,
  overrideOf,
  type Resolution,
  type RowCounts,
  registryVersion,
  scopeResourceOf,
  scopes,
  scopeTitle,
} from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Summary } from '../change-log/append-changes.ts'
import { add, landDeletions, landUpserts, movesGroups, type WindowStep } from '../change-sets/land.ts'
import { ensureGroups, groupsOf, staleGroupsOf, touchedBy } from '../change-sets/land-list.ts'
import type { LastSeen } from '../change-sets/land-rows.ts'
import { eachWindow, readWindows, type Window } from '../change-sets/parts.ts'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { hasAbsent, isPlaceOf, placeKey, placeOf, type ScopePlace } from '../scopes/scope-place.ts'
import {
  columnNames,
  keyColumns,
  type ScopeColumn,
  sameKey,
  sameScope,
  scopeColumnsOf,
  tables,
} from '../tables/columns.ts'
import { nextVersion } from '../tables/row-version.ts'
import { groupsOfKeys, judgeGroups } from '../writes/judge-groups.ts'
import { deletedFrom, followMovedGroups } from '../writes/moved-groups.ts'
import { notePending } from '../writes/pending-since.ts'
import { amongGroups, pruneGroups, recountGroups } from '../writes/recount.ts'
import { recountScopes } from '../writes/recount-scopes.ts'
import type { TouchedScope } from './branch-places.ts'
import { coveredPlaces } from './covered-scopes.ts'
import { clearBranchDigests } from './waiting-groups.ts'

/**
 * Drops the group counters and digests of a branch that merges, because its groups become main's.
 * This comes first, or the merge would mark each of them as stale.
 */
export async function dropGroupCounts(db: Kysely<Tables>, branch: number): Promise<void> {
  await sql`delete from branch_group_counts where branch_id = ${branch}::bigint`.execute(db)
  await clearBranchDigests(db, branch)
}

type Windows = ReadonlyMap<ModelName, ReadonlyArray<Window>>

/**
 * Lands the merged changes of a branch, staged in one part for all its scopes, with the statements
 * that land a scope, in the order of core's `mergeSteps`. Hold the locks of its scopes.
 */
export async function landBranch(step: WindowStep, part: number): Promise<RowCounts> {
  const windows = await allWindows(step, part)
  let counts = noRows
  const of = (model: ModelName) => windows.get(model) ?? []
  for (const { model, op } of mergeSteps) {
    if (op === 'delete') {
      counts = addRows(counts, counted(model, await landDeletions(step, of(model), model)))
      if (model === 'group') await dropEmptied(step, { snapshots: of('snapshot'), groups: of('group') }, part)
    } else if (op === 'update') {
      // With the updates of a model its creations land.
      counts = addRows(counts, counted(model, await landUpserts(step, of(model), model)))
      if (model === 'server' && of(model).length > 0) await notePending(step.db)
      if (model === 'snapshot') await countWritten(step, of(model))
    }
  }
  await recountScopes(step.db, touchedNamespaces(part))
  await judgeGroups(step.db, groupsOfKeys(touchedBy(part)))
  if (movesGroups([...of('snapshot'), ...of('group')])) await followMovedGroups(step, part)
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
 * Creates the groups that new snapshots lack, and recounts those whose counters may change. The
 * digests of the others are cleared at the end, with `clearTouchedDigests`.
 */
async function countWritten({ db, engine, writer, made }: WindowStep, windows: ReadonlyArray<Window>): Promise<void> {
  await eachWindow(engine, windows, async (window) => {
    if (window.creates > 0) add(made, 'group', await ensureGroups(db, window))
    const stale = staleGroupsOf(window)
    await recountGroups(db, groupsOf(window, sql`true`), { watch: writer.watch, discard: true, stale })
  })
}

/** The namespaces in which a part writes anything that they count. */
const touchedNamespaces = (part: number): RawBuilder<unknown> => sql`
  select w.server_id, w.datastore_name, w.namespace from staged_snapshots w where w.part_id = ${part}::bigint
  union select w.server_id, w.datastore_name, w.namespace from staged_groups w where w.part_id = ${part}::bigint
  union select w.server_id, w.datastore_name, w.path from staged_namespaces w where w.part_id = ${part}::bigint and w.op = 'create'`

/** Models whose rows a merge keeps under a parent that stays. */
const keptWithParent: ReadonlyArray<ModelName> = ['datastore', 'namespace', 'group']

/** When the scope of a row was last listed whole. Of models whose rows a merge never keeps there is nothing to ask. */
export const lastListed: LastSeen = (model, alias) => {
  if (!keptWithParent.includes(model)) return sql`null::timestamptz`
  const resource = scopeResourceOf(model)
  return sql`(select max(c.last_complete_at) from scopes c where c.resource = ${resource} and ${sameScope(resource, 'c', alias)})`
}

/** A count, with the columns that identify its scope. */
type Created = { readonly rows: number } & Partial<Pick<ScopePlace, ScopeColumn>>

/**
 * The number of rows that a part has created of each model in each scope, for the log. A row that
 * main had already does not count.
 */
export async function createdByScope(
  db: Kysely<Tables>,
  part: number,
  touched: ReadonlyArray<TouchedScope>,
): Promise<ReadonlyArray<Summary>> {
  const counts = new Map<TouchedScope, Partial<Record<ModelName, number>>>()
  for (const model of branchedModels) {
    const resource = scopeResourceOf(model)
    const names = scopeColumnsOf(resource).map((name) => sql.ref(`w.${name}`))
    const of = names.length === 0 ? sql`` : sql`, ${sql.join(names)}`
    const { rows } = await sql<Created>`
      select count(*) as rows${of} from ${sql.table(`staged_${tables[model]}`)} w
      where w.part_id = ${part}::bigint and w.op = 'create'
        and (w.id is null or exists (select from ${sql.table(tables[model])} m where m.id = w.id))
      ${names.length === 0 ? sql`having count(*) > 0` : sql`group by ${sql.join(names)}`}`.execute(db)
    for (const created of rows) {
      const key = placeKey(placeOf(resource, created))
      const scope = touched.find(({ place }) => placeKey(place) === key)
      if (scope !== undefined) counts.set(scope, { ...counts.get(scope), [model]: created.rows })
    }
  }
  return [...counts].map(([{ scope, place }, of]) => ({
    model: scopes[scope.resource].lists,
    title: scopeTitle(scope),
    serverId: place.server_id,
    counts: of,
  }))
}

/** Reviewers' decisions against a source, by object. */
export class OverridesOfMerge {
  readonly #overrides = new Map<number, Record<string, FieldValue>>()

  /** Records an answer to a conflict, if it leaves an override behind. */
  add(model: ModelName, id: number, conflict: Conflict, resolution: Resolution): void {
    const override = overrideOf(model, conflict, resolution)
    if (override !== null)
      this.#overrides.set(id, { ...this.#overrides.get(id), [override.field]: override.sourceValue })
  }

  /**
   * Stores the overrides with their rows. Call this after the rows have landed, because a landing
   * removes the overrides of the fields that it changes.
   */
  async land(db: Kysely<Tables>, model: ModelName): Promise<void> {
    if (this.#overrides.size === 0) return
    const rows = [...this.#overrides].map(([id, overrides]) => ({ id, overrides }))
    await sql`
      update ${sql.table(tables[model])} t set overrides = coalesce(t.overrides, '{}') || r.overrides
      from jsonb_to_recordset(${jsonb(rows)}) as r (id bigint, overrides jsonb) where t.id = r.id`.execute(db)
  }
}

/**
 * Clears the digests of groups that a merge has written and not counted: the frames no longer match
 * main.
 */
export async function clearTouchedDigests(db: Kysely<Tables>, branch: number): Promise<void> {
  const key = columnNames(keyColumns('group'))
  await sql`
    update groups g set digest = null, digest_cleared_by = pg_current_xact_id()
    from (
      select ${key} from branch_groups where branch_id = ${branch}::bigint
      union select ${key} from branch_snapshots where branch_id = ${branch}::bigint
    ) e where ${sameKey('group', 'g', 'e')} and g.digest_cleared_by is distinct from pg_current_xact_id()`.execute(db)
}

/**
 * Notes that the scopes of a merged branch were listed, as a landing does. A scope whose deletions
 * are kept, or that was emptied with its parent, keeps its visibility.
 */
export async function landVisibilities(db: Kysely<Tables>, branch: number, kept: ReadonlySet<string>): Promise<void> {
  await sql`
    with p as materialized (
      select * from (${coveredPlaces(branch)}) p where p.listed and p.scope_key <> all(${[...kept]}::text[])
    ), known as (
      update scopes c set visibility = case when ${hasAbsent('c')} then c.visibility else p.visibility end, last_complete_at = greatest(c.last_complete_at, p.listed_at) from p where ${isPlaceOf}
    )
    insert into scopes (server_id, resource, datastore_name, namespace, job_type, visibility, last_complete_at, registry_version)
    select p.server_id, p.resource, p.datastore_name, p.namespace, p.job_type, p.visibility, p.listed_at, ${registryVersion}::bigint
    from p where not exists (select from scopes c where ${isPlaceOf})`.execute(db)
}

/** Marks a branch as merged. Its changes stay with it, so that it can be shown and reverted. */
export async function endMerged(
  db: Kysely<Tables>,
  branch: number,
  { at, by }: { readonly at: string; readonly by: Author },
): Promise<void> {
  const who =
    'runId' in by
      ? sql`coalesce((select started_by from runs where id = ${by.runId}::bigint), '')`
      : sql`${by.user}::text`
  await sql`
    update branches set status = 'merged', merged = ${at}::timestamptz, merged_by = ${who}, last_updated = ${nextVersion(sql`last_updated`)}
    where id = ${branch}::bigint`.execute(db)
}
