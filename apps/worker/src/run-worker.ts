import { endLostJobs, type JobPorts, type RetentionPorts, removeOld, type SchedulePorts } from '@netbox-pbs/sync'
import { Effect } from 'effect'
import { keepDoing } from './keep-doing.ts'
import { keepSchedule } from './schedule/keep-schedule.ts'
import { tick } from './tick.ts'

/** How a worker works. */
export interface WorkerOptions {
  /** Jobs at a time; of one server never more than one. */
  readonly concurrency: number
  /** Pause before asking an empty queue again. */
  readonly pollMillis?: number
}

/** The ports a worker works with. */
export type WorkerPorts = JobPorts | SchedulePorts | RetentionPorts

/** Pause after the database failed. */
const restMillis = 5000

/**
 * Takes jobs from the queue and runs them, starts the runs that the schedules ask for, ends those whose jobs are lost and removes what is kept no longer, until
 * it is interrupted. Then open scopes are dropped and the jobs go back to the queue.
 */
export const runWorker = ({
  concurrency,
  pollMillis = 1000,
}: WorkerOptions): Effect.Effect<never, never, WorkerPorts> => {
  const loop = tick.pipe(
    Effect.map((worked) => (worked ? 0 : pollMillis)),
    Effect.catchAll(({ message }) => Effect.as(Effect.logError('the worker rests', message), restMillis)),
    Effect.catchAllDefect((defect) => Effect.as(Effect.logError('the worker met a bug', defect), restMillis)),
    Effect.flatMap((millis) => (millis > 0 ? Effect.sleep(millis) : Effect.yieldNow())),
    Effect.forever,
  )
  const loops = Array.from({ length: concurrency }, () => loop)
  const sweep = keepDoing(endLostJobs, { what: 'ending lost jobs', every: '1 minute' })
  const tidy = keepDoing(removeOld, { what: 'removing old records', every: '1 minute' })
  return Effect.all([keepSchedule, sweep, tidy, ...loops], { concurrency: 'unbounded', discard: true }).pipe(
    Effect.zipRight(Effect.never),
  )
}
