import type { ModelName } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import { appendChanges, deletedRow, deleteLogged, type Origin } from '../../changes/append-changes.ts'
import { rowsBelow, rowTitle } from '../../changes/logged-fields.ts'
import { jsonb } from '../../database/json.ts'
import type { Tables } from '../../database/tables.ts'
import { markGone } from '../mark-moved.ts'
import { freeKeys } from './write-rows.ts'

/** Deletes rows of main by their ids. */
export const removeRows = (
  db: Kysely<Tables>,
  model: ModelName,
  { ids, origin }: { readonly ids: ReadonlyArray<number>; readonly origin: Origin },
): Promise<number> =>
  ids.length === 0 ? Promise.resolve(0) : deleteLogged(db, model, { where: sql`m.id = any(${ids}::bigint[])`, origin })

/** Takes groups off their source's list: each goes with its last snapshot, which is for whoever settles them to see. */
export async function unlistGroups(db: Kysely<Tables>, ids: ReadonlyArray<number>): Promise<void> {
  await sql`
    update groups set presence = 'manual', missing_since = null where id = any(${ids}::bigint[]) and presence <> 'manual'`.execute(
    db,
  )
}

/** Deletes namespaces. One that still has groups stays with them as if made by hand. To be called when all groups are settled. */
export async function removeNamespaces(
  db: Kysely<Tables>,
  { ids, origin }: { readonly ids: ReadonlyArray<number>; readonly origin: Origin },
): Promise<number> {
  if (ids.length === 0) return 0
  const used = sql`exists (select from groups g where g.server_id = m.server_id and g.datastore_name = m.datastore_name and g.namespace = m.path)`
  await sql`
    update namespaces m set presence = 'manual', missing_since = null where m.id = any(${ids}::bigint[]) and ${used}`.execute(
    db,
  )
  return await deleteLogged(db, 'namespace', { where: sql`m.id = any(${ids}::bigint[]) and not ${used}`, origin })
}

/** A server that leaves, as the log will tell it. */
export interface LeavingServer {
  readonly id: number
  readonly title: string
  /** The whole row, in the text of its JSON, which keeps every digit. */
  readonly row: string
}

/** Frees the names of servers that are to be deleted. They themselves go last, so that what the branch moves from one to another server is not deleted along. */
export async function freeServers(
  db: Kysely<Tables>,
  ids: ReadonlyArray<number>,
): Promise<ReadonlyArray<LeavingServer>> {
  if (ids.length === 0) return []
  const { rows } = await sql<LeavingServer>`
    select m.id, ${rowTitle('server', 'm')} as title, ${deletedRow('server', 'm')}::text as row from servers m where m.id = any(${ids}::bigint[])`.execute(
    db,
  )
  await freeKeys(db, 'server', ids)
  return rows
}

/** Deletes servers with all that is below them, which the log sums up in one entry each. */
export async function removeServers(
  db: Kysely<Tables>,
  { servers, origin }: { readonly servers: ReadonlyArray<LeavingServer>; readonly origin: Origin },
): Promise<number> {
  if (servers.length === 0) return 0
  const { rows } = await sql<{ deleted: number }>`
    with r as materialized (select * from jsonb_to_recordset(${jsonb(servers)}) as r (id bigint, title text, row text)), gone as (
      delete from servers m using r where m.id = r.id
      returning m.id, m.id as server_id, r.title, r.row::jsonb as before, null::jsonb as after, ${rowsBelow('server', 'm')} as counts
    ), logged as (${appendChanges('gone', 'delete', 'server', { origin })})
    select count(*) as deleted from gone`.execute(db)
  await markGone(db)
  return rows[0]?.deleted ?? 0
}
