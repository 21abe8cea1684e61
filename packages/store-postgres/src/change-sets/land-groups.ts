import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { columnNames, keyColumns } from '../tables/columns.ts'
import type { LastSeen } from './land-rows.ts'
import type { Window } from './windows.ts'

const key = keyColumns('group')

/**
 * The keys of the groups that a window's snapshots lie in; `kind` narrows the rows, under the alias
 * `w`. A source lists group by group, so a group is taken where it begins, which spares sorting all
 * its rows.
 */
export function groupsOf(window: Window, kind: RawBuilder<boolean>): RawBuilder<unknown> {
  const before = key.map(({ name }) => sql`lag(${sql.ref(`w.${name}`)}) over listed`)
  return sql`
    select distinct ${columnNames(key, 'x')} from (
      select ${columnNames(key, 'w')}, (${columnNames(key, 'w')}) is distinct from (${sql.join(before)}) as begins
      from staged_snapshots w where ${window.rows} and ${kind} window listed as (order by w.seq)
    ) x where x.begins`
}

/**
 * Creates the groups that a window's new snapshots lack: a user may have deleted one, with its last
 * snapshot, since the source was read. Returns their number.
 */
export async function ensureGroups(db: Kysely<Tables>, window: Window): Promise<number> {
  const { numAffectedRows } = await sql`
    insert into groups (${columnNames(key)}, presence)
    select ${columnNames(key, 'w')}, 'listed' from (${groupsOf(window, sql`w.op = 'create'`)}) w
    on conflict do nothing`.execute(db)
  return Number(numAffectedRows ?? 0n)
}

/**
 * Groups that the source no longer lists: each stays only while it has snapshots created by a user.
 */
export async function unlistGroups(
  db: Kysely<Tables>,
  window: Window,
  deletable: RawBuilder<boolean>,
  lastSeen: LastSeen,
): Promise<void> {
  await sql`
    update groups g set presence = 'manual', missing_since = null, last_seen_own = ${lastSeen('group', 'g')}, digest = null
    from staged_groups w
    where ${window.rows} and w.op = 'delete' and g.id = w.id and g.presence <> 'manual' and ${deletable}`.execute(db)
}
