import { resources } from '@netbox-pbs/core'
import { type Branches, type Inventory, Queue, Runs, SettingsStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { startRun } from '@netbox-pbs/sync'
import { Clock, Effect } from 'effect'
import { nextDue } from './next-due.ts'

/** Runs looked at for the last one that a schedule started. */
const recentRuns = 100

/**
 * Starts the run that is due, if one is, and gives the moment from which the next one is counted. One that finds the gateway busy is dropped, not put off.
 * `since` is when this worker began or last dropped one; of several workers the first one's run is seen by the others.
 */
export const scheduleTick = Effect.fn('worker.scheduleTick')(function* (
  since: number,
): Effect.fn.Return<number, StoreFailed, Branches | Inventory | Queue | Runs | SettingsStore> {
  const settings = yield* (yield* SettingsStore).get()
  const now = yield* Clock.currentTimeMillis
  const { rows } = yield* (yield* Runs).list({ limit: recentRuns, offset: 0 })
  const last = rows.find(({ trigger }) => trigger === 'schedule')
  const from = Math.max(since, last === undefined ? 0 : Date.parse(last.created))
  const due = nextDue(settings, from)
  if (due === null || now < due) return since
  if (yield* (yield* Queue).busy({ server: null })) {
    yield* Effect.logWarning('a scheduled sync was dropped: an earlier one still waits for the gateway')
    return now
  }
  yield* startRun({ resources, servers: null, trigger: 'schedule', user: '' }).pipe(
    Effect.catchTag('RunRefused', (refused) => Effect.die(refused)),
  )
  return now
})
