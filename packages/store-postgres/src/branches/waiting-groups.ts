import { addRows, noRows, type RowCounts, registryVersion } from '@netbox-pbs/core'
import type { StoreFailed, WaitingGroup } from '@netbox-pbs/core/ports'
import type { Stream } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { eachWindow, readWindows } from '../change-sets/parts.ts'
import type { Database } from '../database/database.ts'
import { pageSize, pages } from '../database/pages.ts'
import type { Tables } from '../database/tables.ts'
import { branchedModelsOf, inScope, type ScopePlace, scopePlace } from '../scopes/scope-place.ts'
import { columnNames, keyColumns, sameKey } from '../tables/columns.ts'
import { branchTable } from './branch-columns.ts'
import { coveringBranch } from './review-scopes.ts'
import { seenVersion } from './stale-entries.ts'

/** The groups of a namespace in a branch. */
interface InBranch {
  readonly branch: number
  readonly place: ScopePlace
}

/**
 * The groups of a namespace that wait in the branch that covers it and that main still has
 * unchanged. A writer of main's snapshots clears the digests of their groups; a write to main's row
 * of a group shows in its version.
 */
export function readWaitingGroups(
  database: Database['Type'],
  {
    serverId,
    datastore,
    namespace,
  }: { readonly serverId: number; readonly datastore: string; readonly namespace: string },
): Stream.Stream<WaitingGroup, StoreFailed> {
  const scope = { resource: 'snapshots', server: '', datastore, namespace } as const
  const place = scopePlace(scope, serverId)
  return pages<WaitingGroup>((after) =>
    database.query('reading the groups that wait in a branch', async (db) => {
      const branch = after?.branch ?? (await coveringBranch(db, place, { lock: false }))
      if (branch === null) return []
      const [, , , type = '', id = ''] = after?.key ?? []
      const { rows } = await sql<WaitingRow>`
        select d.backup_type, d.backup_id, d.digest, d.listed_count, d.created, d.updated, d.deleted, d.changes
        from branch_group_digests d left join groups g on ${sameKey('group', 'g', 'd')}
        where d.branch_id = ${branch}::bigint and ${inScope(place, 'd')} and d.registry_version = ${registryVersion}::bigint
          and g.xmin is not distinct from d.main_version and (d.backup_type, d.backup_id) > (${type}, ${id})
        order by d.backup_type, d.backup_id limit ${pageSize}`.execute(db)
      return rows.map(({ backup_type, backup_id, digest, listed_count, changes, ...snapshots }) => ({
        branch,
        key: [serverId, datastore, namespace, backup_type, backup_id],
        digest,
        listed: listed_count,
        snapshots,
        changes,
      }))
    }),
  )
}

interface WaitingRow extends Pick<RowCounts, 'created' | 'updated' | 'deleted'> {
  readonly backup_type: string
  readonly backup_id: string
  readonly digest: string
  readonly listed_count: number
  readonly changes: number
}

/** The branch in which groups of a part are retained; null: there are none. */
export async function retainedIn(db: Kysely<Tables>, part: number): Promise<number | null> {
  const { rows } = await sql<{ branch_id: number }>`
    select branch_id from staged_retained where part_id = ${part}::bigint limit 1`.execute(db)
  return rows[0]?.branch_id ?? null
}

/** Whether the row `e`, which has the columns of a group's key, is of a group that a part retains. */
export const isRetained = (part: number | null): RawBuilder<boolean> => sql<boolean>`exists (
  select from staged_retained k where k.part_id = ${part}::bigint and k.backup_type = e.backup_type and k.backup_id = e.backup_id
)`

/**
 * The number of changes in a branch that belong to the groups that a part retains: snapshots, and
 * entries of any model.
 */
export async function countRetained(
  db: Kysely<Tables>,
  { branch, place }: InBranch,
  part: number,
): Promise<{ readonly counts: RowCounts; readonly changes: number }> {
  let counts = noRows
  let changes = 0
  for (const model of branchedModelsOf(place.resource)) {
    const { rows } = await sql<Pick<RowCounts, 'created' | 'updated' | 'deleted'>>`
      select count(*) filter (where e.op = 'create') as created, count(*) filter (where e.op = 'update') as updated,
        count(*) filter (where e.op = 'delete') as deleted
      from ${branchTable(model)} e where e.branch_id = ${branch}::bigint and ${inScope(place, 'e')} and ${isRetained(part)}`.execute(
      db,
    )
    const found = { ...noRows, ...rows[0] }
    changes += found.created + found.updated + found.deleted
    if (model === 'snapshot') counts = addRows(counts, found)
  }
  return { counts, changes }
}

/**
 * Keeps the digests of the frames that a namespace was staged from, and clears those of groups that
 * the part neither read nor retains. A group is left out that has missing rows, and one that was
 * written in main since the change set was opened: the frame may have been compared with older rows.
 */
export async function rememberGroups(
  { db, engine }: { readonly db: Kysely<Tables>; readonly engine: Database['Type']['engine'] },
  { branch, place, part, changeSet }: InBranch & { readonly part: number; readonly changeSet: number },
): Promise<void> {
  await clearPlaceDigests(db, { branch, place }, sql`not ${isRetained(part)}`)
  const key = keyColumns('group')
  // The entries are read once for a window, and brought to their groups by one aggregate: a join would be a nested
  // loop, because the planner knows neither number.
  const entries = (model: 'group' | 'snapshot') => sql`
    select e.backup_type, e.backup_id, null, null, case when ${model === 'snapshot'} then e.op end
    from ${branchTable(model)} e where e.branch_id = ${branch}::bigint and ${inScope(place, 'e')}
      and (e.backup_type, e.backup_id) >= (select d.backup_type, d.backup_id from d order by d.backup_type, d.backup_id limit 1)
      and (e.backup_type, e.backup_id) <= (select d.backup_type, d.backup_id from d order by d.backup_type desc, d.backup_id desc limit 1)`
  await eachWindow(engine, await readWindows(db, engine, 'staged_digests', part), async (window) => {
    await sql`
      with d as materialized (
        select distinct on (w.backup_type, w.backup_id) w.backup_type, w.backup_id, w.digest, w.listed_count
        from staged_digests w where ${window.rows} order by w.backup_type, w.backup_id, w.seq desc
      ), n as materialized (
        select ${place.server_id}::bigint as server_id, ${place.datastore_name}::text collate "C" as datastore_name, ${place.namespace}::text collate "C" as namespace,
          x.backup_type, x.backup_id, max(x.digest) as digest, max(x.listed_count) as listed_count, count(*) filter (where x.op = 'create') as created,
          count(*) filter (where x.op = 'update') as updated, count(*) filter (where x.op = 'delete') as deleted, count(*) - 1 as changes
        from (
          select d.backup_type, d.backup_id, d.digest, d.listed_count, null from d
          union all ${entries('snapshot')} union all ${entries('group')}
        ) x (backup_type, backup_id, digest, listed_count, op)
        group by x.backup_type, x.backup_id having count(x.digest) > 0
      )
      insert into branch_group_digests
        (branch_id, ${columnNames(key)}, digest, registry_version, listed_count, main_version, created, updated, deleted, changes)
      select ${branch}::bigint, ${columnNames(key, 'n')}, n.digest, ${registryVersion}::bigint, n.listed_count, m.seen, n.created, n.updated, n.deleted, n.changes
      from n
      left join lateral (
        select ${seenVersion(changeSet)} as seen, m.presence = 'listed' and m.missing_count = 0 as whole from groups m where ${sameKey('group', 'm', 'n')} offset 0
      ) m on true
      where m.whole is null or (m.whole and m.seen is not null)
      on conflict (branch_id, ${columnNames(key)}) do nothing`.execute(db)
  })
}

/** Clears the digests of a branch in a namespace: all, or those whose row `e` a condition finds. */
export async function clearPlaceDigests(
  db: Kysely<Tables>,
  { branch, place }: InBranch,
  which: RawBuilder<unknown> = sql`true`,
): Promise<void> {
  await sql`
    delete from branch_group_digests e where e.branch_id = ${branch}::bigint and ${inScope(place, 'e')} and ${which}`.execute(
    db,
  )
}

/** Clears all digests of a branch, whose entries change or which ends. */
export async function clearBranchDigests(db: Kysely<Tables>, branch: number): Promise<void> {
  await sql`delete from branch_group_digests where branch_id = ${branch}::bigint`.execute(db)
}
