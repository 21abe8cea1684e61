import { formatTimestamp, fullSince, mostKnownGroups } from '@netbox-pbs/core'
import { Branches, Inventory, SettingsStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { Chunk, Clock, Effect, Stream } from 'effect'
import type { ServerJob } from './scope-work.ts'

/**
 * The list digests that a light run names to the source: of groups that it need not read. None in a full run, and none
 * when the tasks of the server have not been read since the run was created: a verification may then have ended unseen.
 */
export const knownListDigests = Effect.fn('sync.knownListDigests')(function* ({
  lightSince,
  server,
  serverId,
}: ServerJob): Effect.fn.Return<ReadonlyArray<string>, StoreFailed, Branches | Inventory | SettingsStore> {
  if (lightSince === null) return []
  const { full_sync_interval_hours } = yield* (yield* SettingsStore).get()
  const since = fullSince(yield* Clock.currentTimeMillis, full_sync_interval_hours)
  if (since === null) return []
  const inventory = yield* Inventory
  const { lastCompleteAt } = yield* inventory.scopeState({ resource: 'tasks', server })
  if (lastCompleteAt === null || Date.parse(lastCompleteAt) < Date.parse(lightSince)) return []
  const except = yield* (yield* Branches).coveredNamespaces({ serverId })
  const digests = inventory.listDigests({ serverId, fullSince: formatTimestamp(since), except })
  return Chunk.toReadonlyArray(yield* Stream.runCollect(Stream.take(digests, mostKnownGroups)))
})
