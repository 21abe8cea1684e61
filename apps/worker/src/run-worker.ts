import type { Workers } from '@netbox-pbs/core/ports'
import { endLostJobs, type JobPorts, type RetentionPorts, removeOld, type SchedulePorts } from '@netbox-pbs/sync'
import { Clock, type Duration, Effect } from 'effect'
import { beatForever } from './heartbeat.ts'
import { repeatForever } from './repeat-forever.ts'
import { keepSchedule } from './schedule/keep-schedule.ts'
import { Slots } from './slots.ts'
import { tickWith } from './tick.ts'

/** How a worker works. */
export interface WorkerOptions {
  /** Jobs at a time; of one server never more than one. */
  readonly concurrency: number
  /** Pause before asking an empty queue again. */
  readonly pollMillis?: number
  /** How long one job may take; twelve hours. */
  readonly jobTimeLimit?: Duration.Duration
}

/** The ports a worker works with. */
export type WorkerPorts = JobPorts | SchedulePorts | RetentionPorts | Workers

/** A job that takes longer is slow, and its server gets no last free slot until a job of it takes less. */
const slowAfter = 60_000

/** Pause after the database failed. */
const restMillis = 5000

/**
 * Takes jobs from the queue and runs them, starts the runs that the schedules ask for, ends those whose jobs are lost and removes what is kept no longer, until
 * it is interrupted. Then open scopes are dropped and the jobs go back to the queue.
 */
export const runWorker = ({
  concurrency,
  pollMillis = 1000,
  jobTimeLimit,
}: WorkerOptions): Effect.Effect<never, never, WorkerPorts> => {
  const slots = new Slots({ concurrency, slowAfter })
  // One asks the queue at a time, so that who asks knows which slots have jobs.
  const asking = Effect.unsafeMakeSemaphore(1)
  const turn = Effect.acquireUseRelease(
    Effect.interruptible(asking.take(1)).pipe(
      Effect.zipRight(Clock.currentTimeMillis),
      Effect.map((now) => ({ slot: slots.take(now), asks: true })),
    ),
    (held) => {
      if (held.slot === null) return Effect.succeed(false)
      const { avoid, use } = held.slot
      const onTaken = (serverId: number | null) =>
        Effect.flatMap(Clock.currentTimeMillis, (at) => {
          use(serverId, at)
          held.asks = false
          return asking.release(1)
        })
      return tickWith({ avoid, onTaken, ...(jobTimeLimit !== undefined && { timeLimit: jobTimeLimit }) })
    },
    ({ slot, asks }) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        slot?.free(now)
        return asks ? asking.release(1) : Effect.void
      }),
  )
  const loop = turn.pipe(
    Effect.map((worked) => (worked ? 0 : pollMillis)),
    Effect.catchAll(({ message }) =>
      Effect.as(Effect.logError('the worker waits before its next try', message), restMillis),
    ),
    Effect.catchAllDefect((defect) => Effect.as(Effect.logError('internal error in the worker', defect), restMillis)),
    Effect.flatMap((millis) => (millis > 0 ? Effect.sleep(millis) : Effect.yieldNow())),
    Effect.forever,
  )
  // One loop more than slots: slow jobs free one extra slot.
  const loops = Array.from({ length: concurrency + 1 }, () => loop)
  const sweep = repeatForever(endLostJobs, { what: 'ending lost jobs', every: '1 minute' })
  const tidy = repeatForever(removeOld, { what: 'removing old records', every: '1 minute' })
  return Effect.all([beatForever, keepSchedule, sweep, tidy, ...loops], {
    concurrency: 'unbounded',
    discard: true,
  }).pipe(Effect.zipRight(Effect.never))
}
