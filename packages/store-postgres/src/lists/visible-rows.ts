import { type RawBuilder, sql } from 'kysely'
import type { SeenServers } from '../database/seen-servers.ts'
import type { Relation } from './list-columns.ts'
import type { ListView } from './list-view.ts'

/** Servers by `id` and `name`: those that the present user sees. */
export const visibleServersOf = (servers: RawBuilder<unknown>, seen: SeenServers): RawBuilder<unknown> =>
  seen === null ? servers : sql`(select v.id, v.name from ${servers} v where ${seen(sql`v.id`)})`

/** The copies of which the present user sees what they are copied from, and their guest's origin. */
const visibleCopies = (copies: RawBuilder<unknown>, seen: Exclude<SeenServers, null>): RawBuilder<unknown> =>
  sql`(select x.* from ${copies} x join guests o on o.id = x.guest_id where ${seen(sql`x.copy_of_server_id`)} and ${seen(sql`o.server_id`)})`

/** The rows of a relation whose servers the present user sees. */
export const visibleRelation = (relation: Relation, seen: SeenServers, server = 't.server_id'): Relation =>
  seen === null
    ? relation
    : {
        ...relation,
        servers: visibleServersOf(relation.servers, seen),
        copies: visibleCopies(relation.copies, seen),
        seen: [...relation.seen, seen(sql.ref(server))],
      }

/** The same of every relation of a view. */
export function visibleView(view: ListView, seen: SeenServers): ListView {
  const visible = (relation: Relation) =>
    visibleRelation(relation, seen, view.model === 'server' ? 't.id' : 't.server_id')
  return { ...view, main: visible(view.main), others: view.others.map(visible) }
}
