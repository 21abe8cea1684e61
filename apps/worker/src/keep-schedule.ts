import { type SchedulePorts, startDue } from '@netbox-pbs/sync'
import { Clock, Effect } from 'effect'

/** Pause between checks, so that a changed schedule takes effect soon. */
const checkMillis = 15_000

/**
 * A gap this long since the last check, or a check that is earlier than it, means that the schedule
 * was not watched. Causes are a sleep of the machine and a clock that was set back.
 */
const breakMillis = 60_000

/** Since when the schedules have been checked without a break, and when last; null: the last check failed. */
interface Watch {
  readonly since: number
  readonly last: number | null
}

/** Starts the runs that are due by the settings and the servers; it never ends. */
export const keepSchedule: Effect.Effect<never, never, SchedulePorts> = Effect.iterate<Watch, SchedulePorts, never>(
  { since: 0, last: null },
  {
    while: () => true,
    body: (watch) => Effect.zipLeft(check(watch), Effect.sleep(checkMillis)),
  },
).pipe(Effect.zipRight(Effect.never))

const check = ({ since, last }: Watch): Effect.Effect<Watch, never, SchedulePorts> =>
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
