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
  // Each entry finds the one before it in a window: a join would compare all with all.
  await sql`
    with mine as (
      select e.*, lag(e.id) over steps as first, lag(e.action) over steps as began, lag(e.before) over steps as began_with,
        lag(e.after) over steps as left_with, lead(e.id) over steps is null as is_last
      from changes e where e.request_id = ${request} and e.model = ${model} and e.object_id = any(${ids}::bigint[])
      window steps as (partition by e.object_id order by e.id)
    ), folded as (
      select l.first, l.id as last, l.title, l.began, l.action as ended, l.before || l.began_with as before, l.left_with || l.after as after
      from mine l where l.is_last and l.began <> 'delete' and not exists (
        select from changes x where x.model = l.model and x.object_id = l.object_id and x.id > l.first and x.request_id is distinct from ${request}
      ) and not (l.began = 'create' and l.action = 'delete' and exists (
        select from jsonb_each(l.counts) c where c.key <> 'task' and c.value <> '0'
      ))
    ), kept as materialized (
      select f.first as id, f.title, null::jsonb as before, f.after
      from folded f where f.began = 'create' and f.ended = 'update'
      union all
      select f.last, f.title, ${differingMembers(sql`f.before`, sql`f.after`)}, ${differingMembers(sql`f.after`, sql`f.before`)}
      from folded f where f.began = 'update' and f.ended = 'update' and f.before <> f.after
      union all
      select f.last, f.title, f.before, null from folded f where f.began = 'update' and f.ended = 'delete'
    ), dropped as (
      delete from changes where id in (
        select f.first from folded f union all select f.last from folded f except select k.id from kept k
      )
    )
    update changes c set title = k.title, before = k.before, after = k.after from kept k where c.id = k.id`.execute(db)
}
