import { formatTimestamp, fullSince, mostKnownGroups } from '@netbox-pbs/core'
import {
  Branches,
  Inventory,
  type LightList,
  SettingsStore,
  type SourceRequest,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Clock, Effect, Stream } from 'effect'
import type { ServerJob } from './scope-work.ts'

/**
 * What a request for snapshots names as known: in a light run the groups that need not be read, and in every
 * run the frames that need not be sent. Call it for a light run after the job has read the tasks of its
 * server: a verification may have ended.
 */
export const knownDigests = Effect.fn('sync.knownDigests')(function* (
  { serverId, scope_filter: filter }: ServerJob,
  isLight: boolean,
): Effect.fn.Return<
  Pick<SourceRequest, 'known_groups' | 'known_frames'>,
  StoreFailed,
  Branches | Inventory | SettingsStore
> {
  const light = isLight ? yield* lightList(serverId) : null
  const known = (yield* Inventory).knownGroups({ serverId, filter, light })
  const digests = { list: [] as string[], frame: [] as string[] }
  yield* Stream.runForEachChunk(Stream.take(known, mostKnownGroups), (chunk) =>
    Effect.sync(() => {
      for (const { of, digest } of chunk) digests[of].push(digest)
    }),
  )
  return {
    ...(digests.list.length > 0 ? { known_groups: digests.list } : {}),
    ...(digests.frame.length > 0 ? { known_frames: digests.frame } : {}),
  }
})

/** What a light run may leave unread; null where every run is full. */
const lightList = Effect.fn('sync.lightList')(function* (
  serverId: number,
): Effect.fn.Return<LightList | null, StoreFailed, Branches | SettingsStore> {
  const { full_sync_interval_hours } = yield* (yield* SettingsStore).get()
  const since = fullSince(yield* Clock.currentTimeMillis, full_sync_interval_hours)
  if (since === null) return null
  const except = yield* (yield* Branches).coveredNamespaces({ serverId })
  return { fullSince: formatTimestamp(since), except }
})
