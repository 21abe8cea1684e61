import { type Kysely, sql } from 'kysely'
import type { Tables } from '../../database/tables.ts'
import { freeKeys } from '../../writes/change-rows.ts'
import { type LeavingServer, leavingServers } from '../../writes/delete-servers.ts'
import { deleteRows } from '../../writes/write-rows.ts'
import type { Writer } from '../../writes/writer.ts'

/**
 * Marks groups as not listed by their source. Each is deleted with its last snapshot, when groups
 * are reconciled.
 */
export async function unlistGroups(db: Kysely<Tables>, ids: ReadonlyArray<number>): Promise<void> {
  await sql`
    update groups set presence = 'manual', missing_since = null where id = any(${ids}::bigint[]) and presence <> 'manual'`.execute(
    db,
  )
}

/**
 * Deletes namespaces. One that still has groups stays, as if a user had created it. Call this after
 * all groups are reconciled.
 */
export async function removeNamespaces(
  db: Kysely<Tables>,
  { ids, writer }: { readonly ids: ReadonlyArray<number>; readonly writer: Writer },
): Promise<number> {
  if (ids.length === 0) return 0
  const used = sql`exists (select from groups g where g.server_id = m.server_id and g.datastore_name = m.datastore_name and g.namespace = m.path)`
  await sql`
    update namespaces m set presence = 'manual', missing_since = null where m.id = any(${ids}::bigint[]) and ${used}`.execute(
    db,
  )
  return await deleteRows(db, { model: 'namespace', where: sql`m.id = any(${ids}::bigint[]) and not ${used}`, writer })
}

/**
 * Frees the names of servers that are to be deleted. The servers themselves are deleted last, so
 * that rows that the branch moves to another server are not deleted with them.
 */
export async function freeServers(
  db: Kysely<Tables>,
  ids: ReadonlyArray<number>,
): Promise<ReadonlyArray<LeavingServer>> {
  if (ids.length === 0) return []
  const servers = await leavingServers(db, sql`m.id = any(${ids}::bigint[])`)
  await freeKeys(db, 'server', ids)
  return servers
}
