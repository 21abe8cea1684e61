import { type SchedulePorts, startDue } from '@netbox-pbs/sync'
import { Clock, Effect } from 'effect'

/** How often the schedules are looked at, so that a change of one is heeded soon. */
const lookMillis = 15_000

/**
 * A gap this long since the last check, or a check that is earlier than it, means that the schedule
 * was not watched. Causes are a sleep of the machine and a clock that was set back.
 */
const breakMillis = 60_000

/** Since when the schedules have been looked at without a break, and when last; null: the last look failed. */
interface Watch {
  readonly since: number
  readonly last: number | null
}

/** Starts runs as the settings and the servers say, for ever. */
export const keepSchedule: Effect.Effect<never, never, SchedulePorts> = Effect.iterate<Watch, SchedulePorts, never>(
  { since: 0, last: null },
  {
    while: () => true,
    body: (watch) => Effect.zipLeft(look(watch), Effect.sleep(lookMillis)),
  },
).pipe(Effect.zipRight(Effect.never))

const look = ({ since, last }: Watch): Effect.Effect<Watch, never, SchedulePorts> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const watchedSince = last === null || now < last || now - last > breakMillis ? now : since
    const failed: Watch = { since: watchedSince, last: null }
    return yield* startDue({ watchedSince }).pipe(
      Effect.as<Watch>({ since: watchedSince, last: now }),
      Effect.catchAll(({ message }) => Effect.as(Effect.logWarning('the schedule could not be kept', message), failed)),
      Effect.catchAllDefect((defect) => Effect.as(Effect.logError('internal error in the schedule', defect), failed)),
    )
  })
