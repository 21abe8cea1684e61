import { formatTimestamp } from '@netbox-pbs/core'
import { type Branches, Queue, Runs, type SettingsStore, type StoreFailed } from '@netbox-pbs/core/ports'
import { Chunk, Clock, Effect, Stream } from 'effect'
import { endJob } from './end-job.ts'
import { endRun } from './end-run.ts'

/** A run queues its jobs right after it has named them; what is not in the queue so long after never will be. */
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
      // A job is recorded as ended before it leaves the queue: one that has ended since it was listed stays as it ended.
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
