import type { Actor, ModelName } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import { differingMembers } from '../change-log/append-changes.ts'
import type { Tables } from '../database/tables.ts'

/**
 * Makes one entry of what a request has logged of each object in two steps: a creation or deletion
 * takes up the update before or after it, two updates become one, and nothing is left of what a
 * request takes back. This does not apply where another request has changed the object in between,
 * nor where a server that is taken back had got child rows.
 */
export async function foldChanges(
  db: Kysely<Tables>,
  { model, ids, actor }: { readonly model: ModelName; readonly ids: ReadonlyArray<number>; readonly actor: Actor },
): Promise<void> {
  const request = sql`${actor.requestId}::uuid`
  await sql`
    with mine as (
      select e.*, row_number() over (partition by e.object_id order by e.id desc) as nth from changes e
      where e.request_id = ${request} and e.model = ${model} and e.object_id = any(${ids}::bigint[])
    ), folded as (
      select e.id as first, l.id as last, l.title, e.action as began, l.action as ended,
        l.before || e.before as before, e.after || l.after as after
      from mine l join mine e on e.object_id = l.object_id and e.nth = 2
      where l.nth = 1 and e.action <> 'delete' and not exists (
        select from changes x where x.model = ${model} and x.object_id = l.object_id and x.id > e.id and x.request_id is distinct from ${request}
      ) and not (e.action = 'create' and l.action = 'delete' and exists (
        select from jsonb_each(l.counts) c where c.key <> 'task' and c.value <> '0'
      ))
    ), kept as (
      select f.first as id, f.title, null::jsonb as before, f.after from folded f where f.began = 'create' and f.ended = 'update'
      union all
      select f.last, f.title, ${differingMembers(sql`f.before`, sql`f.after`)}, ${differingMembers(sql`f.after`, sql`f.before`)}
      from folded f where f.began = 'update' and f.ended = 'update' and f.before <> f.after
      union all
      select f.last, f.title, f.before, null from folded f where f.began = 'update' and f.ended = 'delete'
    ), dropped as (
      delete from changes c using folded f where c.id in (f.first, f.last) and not exists (select from kept k where k.id = c.id)
    )
    update changes c set title = k.title, before = k.before, after = k.after from kept k where c.id = k.id`.execute(db)
}
