import type { Branches, Inventory, Queue, Runs, SettingsStore } from '@netbox-pbs/core/ports'
import { Clock, Effect } from 'effect'
import { scheduleTick } from './schedule-tick.ts'

/** How often the settings are looked at, so that a change of the schedule is heeded soon. */
const lookMillis = 15_000

/** Starts runs as the settings say, for ever. */
export const keepSchedule: Effect.Effect<never, never, Branches | Inventory | Queue | Runs | SettingsStore> =
  Effect.flatMap(Clock.currentTimeMillis, (started) =>
    Effect.iterate(started, {
      while: () => true,
      body: (since) =>
        scheduleTick(since).pipe(
          Effect.catchAll(({ message }) =>
            Effect.as(Effect.logWarning('the schedule could not be kept', message), since),
          ),
          Effect.catchAllDefect((defect) => Effect.as(Effect.logError('the schedule met a bug', defect), since)),
          Effect.zipLeft(Effect.sleep(lookMillis)),
        ),
    }),
  ).pipe(Effect.zipRight(Effect.never))
