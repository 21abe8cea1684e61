import type { StoreFailed } from '@netbox-pbs/core/ports'
import { type Duration, Effect } from 'effect'

/** Does something again and again, for ever. A try that fails is logged and followed by the next. `what` names the work in logs. */
export const repeatForever = <R>(
  work: Effect.Effect<unknown, StoreFailed, R>,
  { what, every }: { readonly what: string; readonly every: Duration.DurationInput },
): Effect.Effect<never, never, R> =>
  work.pipe(
    Effect.catchAll(({ message }) => Effect.logWarning('the worker goes on without', message)),
    Effect.catchAllDefect((defect) => Effect.logError('internal error in the worker', defect)),
    Effect.annotateLogs({ what }),
    Effect.zipRight(Effect.sleep(every)),
    Effect.forever,
  )
