import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'

/**
 * Notes since when the endpoints of servers are pending, and forgets it of those that are not. To
 * be called after each write of servers.
 */
export async function notePending(db: Kysely<Tables>): Promise<void> {
  await sql`
    update servers set pending_since = case when endpoint_state = 'pending' then now() end
    where (endpoint_state = 'pending') is distinct from (pending_since is not null)`.execute(db)
}

/** Since when the endpoint of a server is pending, RFC 3339; null: it is not, or there is no such server. */
export async function pendingSince(db: Kysely<Tables>, serverId: number): Promise<string | null> {
  const { rows } = await sql<{ pending_since: string | null }>`
    select pending_since from servers where id = ${serverId}::bigint`.execute(db)
  return rows[0]?.pending_since ?? null
}
