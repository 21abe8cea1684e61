import { type Run, type RunStatus, stagedChanges } from '@netbox-pbs/core'
import { Effect, FiberRef, HashMap, LogLevel } from 'effect'

const levels: Readonly<Record<RunStatus, LogLevel.LogLevel>> = {
  pending: LogLevel.Info,
  running: LogLevel.Info,
  completed: LogLevel.Info,
  cancelled: LogLevel.Info,
  incomplete: LogLevel.Warning,
  failed: LogLevel.Error,
}

/** Logs the end of a run: the one line that says what it did. `staged` counts the changes that wait in a branch. */
export const logRun = ({
  id,
  status,
  trigger,
  user,
  servers,
  started,
  completed,
  counts,
  staged,
  error,
}: Run): Effect.Effect<void> => {
  const seconds = started === null || completed === null ? 0 : (Date.parse(completed) - Date.parse(started)) / 1000
  const waiting = stagedChanges(staged)
  return Effect.annotateLogs(Effect.logWithLevel(levels[status], 'run ended'), {
    run: id,
    status,
    trigger,
    ...(user === '' ? {} : { user }),
    ...(servers === null ? {} : { servers: servers.join(',') }),
    seconds,
    ...counts,
    ...(waiting === 0 ? {} : { staged: waiting }),
    ...(error === '' ? {} : { cause: error }),
  }).pipe(ofWholeRun)
}

/** The job that ended last ends the run: its server says nothing of the run. */
const ofWholeRun = Effect.locallyWith(FiberRef.currentLogAnnotations, HashMap.remove('server'))
