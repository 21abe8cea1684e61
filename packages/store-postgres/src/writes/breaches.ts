import { type BreachTime, breachChanges } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'

/** A group that is judged again. Times are in seconds since 1970. */
export interface JudgedAgain {
  readonly id: number
  readonly now: number
  /** What is stored of it. */
  readonly objective: string | number | null
  readonly fresh_until: string | number | null
  /** The objective that it has now; null: it is not watched. */
  readonly age: number | null
  /** When its open breach began; null: it has none. */
  readonly breach: number | null
  readonly times: ReadonlyArray<number>
}

/** What groups and their servers are called, for a breach. */
const subject = sql`v.id, v.name, g.datastore_name, g.namespace, g.backup_type, g.backup_id`

const columns = sql.raw(
  'group_id, server_id, server_name, datastore_name, namespace, backup_type, backup_id, objective, began, ended',
)

/**
 * Ends the breaches that new backups or new objectives of groups end, and adds those that passed since
 * the groups were judged.
 */
export async function followBreaches(db: Kysely<Tables>, groups: ReadonlyArray<JudgedAgain>): Promise<void> {
  const ended: Array<{ id: number; end: number }> = []
  const passed: Array<BreachTime & { id: number; objective: number }> = []
  for (const group of groups) {
    const before = {
      age: secondsOf(group.objective),
      freshUntil: secondsOf(group.fresh_until),
      openSince: group.breach,
    }
    const changes = breachChanges(before, { age: group.age, backups: group.times }, group.now)
    if (changes.ended !== null) ended.push({ id: group.id, end: changes.ended })
    for (const time of changes.passed) passed.push({ id: group.id, objective: before.age ?? 0, ...time })
  }
  if (ended.length > 0)
    await sql`
      update breaches b set ended = greatest(b.began, to_timestamp(r."end"))
      from jsonb_to_recordset(${jsonb(ended)}) as r (id bigint, "end" float8) where b.group_id = r.id and b.ended is null`.execute(
      db,
    )
  if (passed.length > 0)
    await sql`
      insert into breaches (${columns})
      select g.id, ${subject}, r.objective, to_timestamp(r.begin), to_timestamp(r."end")
      from jsonb_to_recordset(${jsonb(passed)}) as r (id bigint, objective bigint, begin float8, "end" float8)
      join groups g on g.id = r.id join servers v on v.id = g.server_id`.execute(db)
}

const secondsOf = (value: string | number | null): number | null => (value === null ? null : Number(value))

/** Whether the objective of the group `g` has ended, and its list, the scope `c`, was read since. */
const isLate: RawBuilder<unknown> = sql`g.standing in ('dated', 'failed') and g.fresh_until <= now() and g.presence = 'listed'
  and c.last_complete_at >= g.fresh_until and d.off_since is null`

/**
 * Opens a breach of each group that has become late without one, and ends those of groups that have
 * gone. Of time in which a list was not read no breach is known until it is.
 */
export async function openBreaches(db: Kysely<Tables>): Promise<void> {
  await sql`
    update breaches b set ended = greatest(b.began, now())
    where b.ended is null and not exists (select from groups g where g.id = b.group_id)`.execute(db)
  await sql`
    insert into breaches (${columns})
    select g.id, ${subject}, g.objective, g.fresh_until, null
    from groups g
    join servers v on v.id = g.server_id
    join scopes c on c.resource = 'snapshots' and c.server_id = g.server_id and c.datastore_name = g.datastore_name and c.namespace = g.namespace
    left join datastores d on d.server_id = g.server_id and d.name = g.datastore_name
    where ${isLate} and c.judged_version = (select version from judging) and (g.judge_again_at is null or g.judge_again_at > now())
      and not exists (select from breaches b where b.group_id = g.id and b.ended is null)
    on conflict (group_id) where ended is null do nothing`.execute(db)
}
