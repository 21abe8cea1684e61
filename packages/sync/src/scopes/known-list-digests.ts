import { formatTimestamp, fullSince, mostKnownGroups } from '@netbox-pbs/core'
import { Branches, Inventory, SettingsStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { Chunk, Clock, Effect, Stream } from 'effect'
import type { ServerJob } from './scope-work.ts'

/**
 * The list digests that a light run sends to the source, of groups that it need not read; none where
 * every run is full. Call it after the job has read the tasks of its server: a verification may have ended.
 */
export const knownListDigests = Effect.fn('sync.knownListDigests')(function* ({
  serverId,
}: ServerJob): Effect.fn.Return<ReadonlyArray<string>, StoreFailed, Branches | Inventory | SettingsStore> {
  const { full_sync_interval_hours } = yield* (yield* SettingsStore).get()
  const since = fullSince(yield* Clock.currentTimeMillis, full_sync_interval_hours)
  if (since === null) return []
  const except = yield* (yield* Branches).coveredNamespaces({ serverId })
  const digests = (yield* Inventory).listDigests({ serverId, fullSince: formatTimestamp(since), except })
  return Chunk.toReadonlyArray(yield* Stream.runCollect(Stream.take(digests, mostKnownGroups)))
})
