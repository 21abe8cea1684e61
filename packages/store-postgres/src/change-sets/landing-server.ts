import { ChangeSetClosed, type Landing, ServerRenamed } from '@netbox-pbs/core/ports'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'

/**
 * The id of the server below which a scope lands: the one that its change set was opened for; null:
 * it is the scope of the servers. An error when the server is deleted, for all its scopes have gone
 * with it, and when it has another name than the scope gives it.
 */
export async function landingServer(
  db: Kysely<Tables>,
  { changeSet, scope }: Pick<Landing, 'changeSet' | 'scope'>,
): Promise<number | null | ChangeSetClosed | ServerRenamed> {
  if (scope.resource === 'servers') return null
  const { rows } = await sql<{ id: number; name: string }>`
    select v.id, v.name from change_sets c join servers v on v.id = c.opened_for where c.id = ${changeSet}::bigint`.execute(
    db,
  )
  const [found] = rows
  if (found === undefined) return new ChangeSetClosed({ changeSet })
  const { id: serverId, name: after } = found
  return after === scope.server ? serverId : new ServerRenamed({ serverId, before: scope.server, after })
}
