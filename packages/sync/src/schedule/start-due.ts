import { asleepUntil, formatTimestamp, ownTiming, resources } from '@netbox-pbs/core'
import {
  type Branches,
  type DueRun,
  type Inventory,
  type NewRun,
  Queue,
  Runs,
  type ScheduleMark,
  Schedules,
  SettingsStore,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Clock, Effect, Option, Stream } from 'effect'
import { queueRun } from '../runs/start-run.ts'
import { decide, type ScheduleEntry, timingText } from './due-servers.ts'

/** The ports that the schedule is kept with. */
export type SchedulePorts = Branches | Inventory | Queue | Runs | Schedules | SettingsStore

/**
 * Starts every run that is due: one of all servers that follow the settings, and one for each
 * server with a timing of its own, which waits until the server wakes; a run whose server, or gateway, is busy is
 * dropped and counted.
 * `watchedSince`, in milliseconds, is the time since which the caller looks without a break: runs
 * due before it were missed.
 */
export const startDue = Effect.fn('sync.startDue')(function* ({
  watchedSince,
}: {
  readonly watchedSince: number
}): Effect.fn.Return<void, StoreFailed, SchedulePorts> {
  const schedules = yield* Schedules
  const settings = yield* (yield* SettingsStore).get()
  const mark = Option.getOrNull(yield* schedules.settingsMark())
  yield* keep({
    ...{ name: '', timing: settings, mark, watchedSince, serverId: null, sleepHours: '' },
    covers: { resources, servers: null },
  })
  yield* Stream.runForEach(schedules.servers(), (server) => {
    const { id: serverId, name, connected } = server
    if (!connected) return Effect.void
    const covers = { resources: resources.filter((resource) => resource !== 'servers'), servers: [serverId] }
    const { mark, sleep_hours: sleepHours } = server
    return keep({ name, timing: ownTiming(server), mark, watchedSince, serverId, sleepHours, covers })
  })
})

interface Kept extends Omit<ScheduleEntry, 'mark'> {
  readonly serverId: number | null
  /** The server's own; a run that comes due in them starts when it wakes. */
  readonly sleepHours: string
  readonly mark: ScheduleMark | null
  readonly covers: Pick<NewRun, 'resources' | 'servers'>
  readonly watchedSince: number
}

const keep = (entry: Kept): Effect.Effect<void, StoreFailed, SchedulePorts> =>
  Effect.gen(function* () {
    const { serverId, timing, mark, watchedSince } = entry
    const now = yield* Clock.currentTimeMillis
    const kept = mark === null ? null : { timing: mark.timing, countedFrom: Date.parse(mark.countedFrom) }
    const decision = decide({ ...entry, mark: kept }, { now, watchedSince })
    if (decision._tag === 'watch') {
      yield* (yield* Schedules).watch({ serverId, timing: timingText(timing), countedFrom: formatTimestamp(now) })
    } else if (decision._tag === 'due' && mark !== null && asleepUntil(entry.sleepHours, now) === null) {
      yield* start({ serverId, mark, countedFrom: formatTimestamp(decision.countFrom) }, entry)
    }
  })

const start = (due: DueRun, { name, covers }: Kept): Effect.Effect<void, StoreFailed, SchedulePorts> =>
  Effect.gen(function* () {
    const schedules = yield* Schedules
    const { serverId } = due
    const server = serverId === null ? null : name
    if (yield* (yield* Queue).busy({ serverId })) {
      const dropped = yield* schedules.drop(due)
      if (Option.isNone(dropped)) return
      yield* Effect.logWarning('a scheduled sync was dropped: an earlier one still runs').pipe(
        Effect.annotateLogs({ server: server ?? 'the gateway', dropped: dropped.value }),
      )
      return
    }
    const { full_sync_interval_hours } = yield* (yield* SettingsStore).get()
    const mode = full_sync_interval_hours === 0 ? 'full' : 'light'
    const started = yield* schedules.start(due, { ...covers, trigger: 'schedule', mode, user: '' })
    if (Option.isNone(started)) return
    const { run, dropped } = started.value
    if (dropped > 0) yield* (yield* Runs).warn({ id: run.id, warnings: [droppedBefore(server, dropped)] })
    yield* queueRun(run)
  })

const droppedBefore = (server: string | null, dropped: number) => ({
  scope: null,
  code: 'schedule_dropped',
  message: `${server ?? 'the gateway'} was still busy when a scheduled run was due before this one: make the interval longer, or limit the scopes that are synced`,
  count: dropped,
})
