import type { ModelName } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { type EntryKind, entryKinds, type Touches, touchesOf } from '../branches/read-touches.ts'
import type { Tables } from '../database/tables.ts'

/** Facts about a branch that keep a reader's queries no larger than the branch requires. */
export interface OverlayFacts {
  readonly branch: number
  readonly model: ModelName
  /** Its changes to the model. */
  readonly touches: Touches
  /** Its changes to servers. */
  readonly servers: Touches
  /**
   * Servers of main that the branch does not show, with all their children: those that it deletes,
   * and those whose names its own have.
   */
  readonly hidden: ReadonlyArray<number>
  /** It counts groups of its own. */
  readonly counts: boolean
  /** Some of these are in groups that main has changed since. */
  readonly stale: boolean
  /** It changes snapshots that main has lost. */
  readonly removed: boolean
  /** It creates snapshots whose keys main has given to others. */
  readonly shadows: boolean
  /** It creates, changes or deletes groups. */
  readonly groups: boolean
}

interface FactsRecord {
  readonly touches: ReadonlyArray<EntryKind>
  readonly servers: ReadonlyArray<EntryKind>
  readonly hidden: ReadonlyArray<number>
  readonly counts: boolean
  readonly stale: boolean
  readonly removed: boolean
  readonly shadows: boolean
  readonly groups: boolean
}

/** Reads the changes of a branch to a model, in a handful of look-ups for every size of branch. */
export async function readFacts(db: Kysely<Tables>, branch: number, model: ModelName): Promise<OverlayFacts> {
  const of = sql`e.branch_id = ${branch}::bigint`
  const counted = (which: RawBuilder<unknown>) =>
    sql`exists (select from branch_group_counts c where c.branch_id = ${branch}::bigint and ${which})`
  const { rows } = await sql<FactsRecord>`
    select ${entryKinds(branch, model)} as touches, ${entryKinds(branch, 'server')} as servers, array(
        select e.id from branch_servers e where ${of} and e.op = 'delete'
        union all select m.id from branch_servers e join servers m on m.name = e.name where ${of} and e.op = 'create'
          and not exists (select from branch_servers u where u.branch_id = e.branch_id and u.id = m.id)
      ) as hidden,
      ${counted(sql`true`)} as counts, ${counted(sql`c.stale`)} as stale, ${counted(sql`c.removed <> '{}'`)} as removed,
      ${counted(sql`c.shadowed <> '{}'`)} as shadows,
      exists (select from branch_groups e where ${of}) as groups`.execute(db)
  const [found] = rows
  return {
    branch,
    model,
    touches: touchesOf(found?.touches ?? []),
    servers: touchesOf(found?.servers ?? []),
    hidden: found?.hidden ?? [],
    counts: found?.counts === true,
    stale: found?.stale === true,
    removed: found?.removed === true,
    shadows: found?.shadows === true,
    groups: found?.groups === true,
  }
}
