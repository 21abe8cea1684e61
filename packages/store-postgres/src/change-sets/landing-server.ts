import type { Scope } from '@netbox-pbs/core'
import { ChangeSetClosed, type Landing, ServerRenamed, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sql } from 'kysely'
import type { Run } from '../database/session.ts'

/**
 * The id of the server below which a scope lands: the one that its change set was opened for; null: it is the scope of the servers. Fails when the server is deleted, for all its scopes have
 * gone with it, and when it has another name than the scope gives it.
 */
export const landingServer = (
  run: Run,
  { changeSet, scope }: Pick<Landing, 'changeSet' | 'scope'>,
): Effect.Effect<number | null, StoreFailed | ChangeSetClosed | ServerRenamed> =>
  scope.resource === 'servers' ? Effect.succeed(null) : openedFor(run, changeSet, scope)

const openedFor = (run: Run, changeSet: number, { server }: Extract<Scope, { readonly server: string }>) =>
  Effect.gen(function* () {
    const { rows } = yield* run((db) =>
      sql<{ id: number; name: string }>`
        select v.id, v.name from change_sets c join servers v on v.id = c.opened_for where c.id = ${changeSet}::bigint`.execute(
        db,
      ),
    )
    const [found] = rows
    if (found === undefined) return yield* new ChangeSetClosed({ changeSet })
    const { id: serverId, name: after } = found
    return after === server ? serverId : yield* new ServerRenamed({ serverId, before: server, after })
  })
