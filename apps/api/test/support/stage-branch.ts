import { naturalKey } from '@netbox-pbs/core'
import { Branches, ChangeSets } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'

/**
 * A datastore of main, and the values of a run that differ from it: field, value that the run knew,
 * value that it has found.
 */
export interface StagedUpdate {
  readonly id: number
  readonly name: string
  readonly fields: ReadonlyArray<readonly [field: string, base: string, value: string]>
}

/** Opens the branch of a run and stages, as the run does, changes of the datastores of a server in it. Gives its id. */
export const stageBranch = Effect.fn(function* ({
  name,
  runId,
  server,
  updates,
  held = null,
}: {
  readonly name: string
  readonly runId: number
  readonly server: { readonly id: number; readonly name: string }
  readonly updates: ReadonlyArray<StagedUpdate>
  /** The guard asks about its deletions. */
  readonly held?: 'emptied' | null
}) {
  const branches = yield* Branches
  const changeSets = yield* ChangeSets
  const about = { kind: 'sync', description: '', user: '', review: false } as const
  const { id: branch } = yield* branches.create({ name, runId, ...about })
  const scope = { resource: 'datastores', server: server.name } as const
  const changeSet = yield* changeSets.open({ runId, serverId: server.id })
  const changes = updates.map((update) => ({
    _tag: 'update' as const,
    id: update.id,
    key: naturalKey('datastore', { server: server.id, name: update.name }),
    fields: update.fields.map(([field, base, value]) => ({ field, base, value })),
    appears: false,
    broken: [],
  }))
  yield* changeSets.append({ changeSet, scope, model: 'datastore', changes })
  const at = '2026-06-01T00:00:00Z'
  yield* changeSets.stage({ changeSet, scope, runId, at, visibility: null, held, listed: true, record: null, branch })
  return branch
})
