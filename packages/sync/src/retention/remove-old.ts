import { formatTimestamp, type Retained, removedBefore, retentions } from '@netbox-pbs/core'
import { Retention, SettingsStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { Clock, Effect, Option } from 'effect'
import { clockSkewMillis } from '../schedule/due-servers.ts'

/** From the end of one turn to the next. */
const everyMillis = 60 * 60_000

/** A lost worker loses its turn this long after its last part; another continues where it stopped. */
const heldMillis = 5 * 60_000

/** The ports that old records are removed with. */
export type RetentionPorts = Retention | SettingsStore

/**
 * Removes records past their retention and refreshes the statistics of the tables, once an hour and
 * by one worker at a time. It works in batches, so that other writers wait only briefly; a
 * retention of 0 days keeps all records.
 */
export const removeOld: Effect.Effect<void, StoreFailed, RetentionPorts> = Effect.gen(function* () {
  const retention = yield* Retention
  const now = yield* Clock.currentTimeMillis
  const turn = yield* retention.takeTurn({
    now: formatTimestamp(now),
    until: formatTimestamp(now + heldMillis),
    latest: formatTimestamp(now + everyMillis + clockSkewMillis),
  })
  if (Option.isNone(turn)) return
  const settings = yield* (yield* SettingsStore).get()
  const removed: Partial<Record<Retained, number>> = {}
  for (const { what, days } of retentions) {
    const before = removedBefore(settings[days], now)
    if (before === null) continue
    const done = yield* removeAll({ what, before: formatTimestamp(before), turn: turn.value })
    if (Option.isNone(done)) return
    removed[what] = done.value
  }
  yield* retention.clearStaged()
  yield* retention.refreshStatistics()
  const ended = yield* Clock.currentTimeMillis
  yield* retention.endTurn({ turn: turn.value, due: formatTimestamp(ended + everyMillis) })
  if (Object.values(removed).some((count) => count > 0)) {
    yield* Effect.annotateLogs(Effect.logInfo('old records were removed'), removed)
  }
}).pipe(Effect.withSpan('sync.removeOld'))

/** Removes all of one kind and says how many; none: the turn was lost. */
const removeAll = ({
  what,
  before,
  turn,
}: {
  readonly what: Retained
  readonly before: string
  readonly turn: number
}): Effect.Effect<Option.Option<number>, StoreFailed, Retention> =>
  Effect.gen(function* () {
    const retention = yield* Retention
    let count = 0
    for (;;) {
      const { removed, more } = yield* retention.prune({ what, before })
      count += removed
      if (!more) return Option.some(count)
      const until = formatTimestamp((yield* Clock.currentTimeMillis) + heldMillis)
      if (!(yield* retention.keepTurn({ turn, until }))) return Option.none()
      yield* Effect.yieldNow()
    }
  })
