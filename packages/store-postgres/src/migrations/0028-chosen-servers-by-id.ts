import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * The id of the server that had a name when a run was recorded: that of the first rename from this
 * name, or deletion, since then; else that of the server that has the name now. Null: nothing tells
 * of it any more.
 */
const serverNamed = `coalesce(
  (select c.object_id from changes c where c.model = 'server' and c.before ->> 'name' = n.name and c.time > r.created
    and (c.action = 'delete' or c.after ->> 'name' <> n.name) order by c.id limit 1),
  (select v.id from servers v where v.name = n.name)
)`

/** Runs know the servers that were chosen for them by id and name, instead of by name alone. */
export const migration: Migration = {
  async up(db) {
    await sql
      .raw(`update runs r set servers = (
        select jsonb_agg(jsonb_build_object('id', ${serverNamed}, 'name', n.name) order by n.place)
        from jsonb_array_elements_text(r.servers) with ordinality as n (name, place)
      ) where r.servers is not null`)
      .execute(db)
  },
}
