import { type TaskWindow, taskWindow } from '@netbox-pbs/core'
import { Inventory, type StoreFailed } from '@netbox-pbs/core/ports'
import { Clock, Effect } from 'effect'
import type { ServerJob } from '../scopes/scope-work.ts'

/** Which tasks of a server to ask for, by what main has of them. */
export const readWindow = Effect.fn('sync.readWindow')(function* ({
  server,
  serverId,
  taskRetentionDays: retentionDays,
}: ServerJob): Effect.fn.Return<TaskWindow, StoreFailed, Inventory> {
  const inventory = yield* Inventory
  const { lastCompleteAt, visibility } = yield* inventory.scopeState({ resource: 'tasks', server })
  const marks = yield* inventory.taskMarks({ serverId })
  const millis = yield* Clock.currentTimeMillis
  return taskWindow({ now: Math.floor(millis / 1000), retentionDays, lastCompleteAt, visibility, marks })
})
