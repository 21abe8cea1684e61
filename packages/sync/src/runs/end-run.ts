import { formatTimestamp, type Run, type RunStatus, runAllows, stagedChanges } from '@netbox-pbs/core'
import { type Branches, Queue, Runs, type SettingsStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { Chunk, Clock, Effect, FiberRef, HashMap, LogLevel, Option, Stream } from 'effect'
import { finishBranches } from '../branches/run-branches.ts'

/** Ends a job, and with the last one its run. */
export const endJob = Effect.fn('sync.endJob')(function* (
  end: Parameters<Runs['Type']['endJob']>[0],
): Effect.fn.Return<Run, StoreFailed, Branches | Runs | SettingsStore> {
  const { run, jobsLeft } = yield* (yield* Runs).endJob(end)
  return jobsLeft ? run : yield* endRun(run)
})

/**
 * Ends a run whose jobs have ended. Its staged changes are merged or left for review first, so that
 * a reader who sees the run ended also sees its results; this can be repeated after a crash.
 */
const endRun = Effect.fn('sync.endRun')(function* ({
  id,
}: Pick<Run, 'id'>): Effect.fn.Return<Run, StoreFailed, Branches | Runs | SettingsStore> {
  const runs = yield* Runs
  const found = yield* runs.get({ id })
  if (Option.isSome(found) && !runAllows(found.value, 'work')) return found.value
  const error = yield* finishBranches(id).pipe(
    Effect.as(null),
    Effect.catchAll((failure) => (failure.passes ? failure : Effect.succeed(unfinishedBranch(failure.message)))),
    Effect.catchAllDefect((defect) =>
      Effect.as(Effect.logError('internal error in a branch', defect), unfinishedBranch(bug)),
    ),
  )
  const run = yield* runs.end({ id, error })
  yield* logRun(run)
  return run
})

const unfinishedBranch = (why: string): string => `its staged changes wait in their branch: ${why}`

/** The error of a run that met a bug: the details are for the log alone. */
export const bug = "internal error; see the worker's log"

/**
 * Cancels a run: queued jobs never begin, and active ones stop at once, also when their source is
 * silent. Returns the run as it then is, unchanged if it had ended; None: there is no such run.
 */
export const cancelRun = Effect.fn('sync.cancelRun')(function* ({
  id,
}: {
  readonly id: number
}): Effect.fn.Return<Option.Option<Run>, StoreFailed, Branches | Queue | Runs | SettingsStore> {
  const runs = yield* Runs
  const before = yield* runs.get({ id })
  const after = yield* runs.requestCancel({ id })
  // One whose jobs have started ends, and is logged, with the last of them.
  if (Option.isSome(after) && isOver(after) && !isOver(before)) yield* logRun(after.value)
  const waiting = yield* (yield* Queue).drop({ runId: id })
  yield* Effect.forEach(waiting, (serverId) => endJob({ id, serverId, error: null }), { discard: true })
  return yield* runs.get({ id })
})

const isOver = (run: Option.Option<Run>): boolean => Option.exists(run, (known) => !runAllows(known, 'cancel'))

/**
 * A run queues its jobs right after it has named them, so a job that is not in the queue after this
 * time never will be.
 */
const graceMillis = 5 * 60_000

/** Jobs that are looked for in the queue at once. */
const batch = 500

const lost = 'it was lost: the process that queued it stopped half-way, or the queue has lost it; start the sync again'

/**
 * Ends jobs that open runs wait for but that are in no queue, and runs that are still open after their
 * last job, as after a crash
 * between recording a run and queueing its jobs. Several workers may do it at once.
 */
export const endLostJobs: Effect.Effect<void, StoreFailed, Branches | Queue | Runs | SettingsStore> = Effect.gen(
  function* () {
    const runs = yield* Runs
    const queue = yield* Queue
    const before = formatTimestamp((yield* Clock.currentTimeMillis) - graceMillis)
    yield* runs.openJobs({ before }).pipe(
      Stream.grouped(batch),
      // A job is recorded as ended before it leaves the queue: one that has ended since it was
      // listed stays as it ended.
      Stream.mapEffect((open) => queue.missing(Chunk.toReadonlyArray(open))),
      Stream.flattenIterables,
      Stream.runForEach(({ runId, serverId, server }) =>
        Effect.zipRight(
          Effect.annotateLogs(Effect.logWarning('a job was lost'), { run: runId, server: server ?? 'the gateway' }),
          endJob({ id: runId, serverId, error: `the job of ${server ?? 'the gateway'}: ${lost}` }),
        ),
      ),
    )
    yield* Effect.forEach(yield* runs.withoutJobs({ before }), (id) => endRun({ id }), { discard: true })
  },
).pipe(Effect.withSpan('sync.endLostJobs'))

const levels: Readonly<Record<RunStatus, LogLevel.LogLevel>> = {
  pending: LogLevel.Info,
  running: LogLevel.Info,
  completed: LogLevel.Info,
  cancelled: LogLevel.Info,
  incomplete: LogLevel.Warning,
  failed: LogLevel.Error,
}

/** Logs the end of a run in one line with its result. `staged` counts the changes that wait in a branch. */
const logRun = ({
  id,
  status,
  trigger,
  mode,
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
    ...(mode === 'full' ? {} : { mode }),
    ...(user === '' ? {} : { user }),
    ...(servers === null ? {} : { servers: servers.join(',') }),
    seconds,
    ...counts,
    ...(waiting === 0 ? {} : { staged: waiting }),
    ...(error === '' ? {} : { cause: error }),
  }).pipe(ofWholeRun)
}

/** The job that ended last ends the run, so the log line names no server. */
const ofWholeRun = Effect.locallyWith(FiberRef.currentLogAnnotations, HashMap.remove('server'))
