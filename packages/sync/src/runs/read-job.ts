import type { Reason, Resource } from '@netbox-pbs/core'
import { type ClaimedJob, mostUnopened, Runs, type Source } from '@netbox-pbs/core/ports'
import { Chunk, Effect, Option, Stream } from 'effect'
import type { Job, JobStopped, ScopePorts, ServerJob } from '../scopes/scope-work.ts'
import { askServer } from './ask-server.ts'
import { endUnlanded, endUnopened, outcomeOf, type Unlanded } from './end-unlanded.ts'
import type { JobProgress } from './job-progress.ts'
import { missingScopes } from './missing-scopes.ts'
import { type OpenScope, type Reading, readResource } from './read-resource.ts'

/**
 * How the reading of a job's resources ended. `error` is a sentence when nothing at all could be listed, else null. `again`: the source failed in a way
 * that may pass, and there is a try left.
 */
export type JobReading =
  | { readonly _tag: 'read'; readonly error: string | null }
  | { readonly _tag: 'cancelled' }
  | { readonly _tag: 'again'; readonly reason: string }

/**
 * Reads the resources one after the other. A list that failed in a way that may be the server's trouble is the list's own while the server answers the smallest request: it is asked once, unless
 * `asksAgain` is false. What a failed stream left unsaid is recorded as failed, what a cancel left undone as cancelled.
 */
export const readJob = Effect.fn('sync.readJob')(function* (
  job: Job | ServerJob,
  resources: ReadonlyArray<Resource>,
  progress: JobProgress,
  { last, asksAgain }: Pick<ClaimedJob, 'last'> & { readonly asksAgain: boolean },
): Effect.fn.Return<JobReading, JobStopped, ScopePorts | Source> {
  let error: string | null = null
  for (const [index, resource] of resources.entries()) {
    const reading: Reading = yield* readResource(job, { resource, server: job.server }, progress)
    switch (reading._tag) {
      case 'whole': {
        yield* reading.failedAbove === null
          ? recordUnheard(job, resource, progress)
          : recordMissing(job, [resource], progress, outcomeOf(reading.failedAbove), reading.failedAbove, null)
        const trouble = reading.trouble ?? (yield* doubted(job, progress, { ...reading, asksAgain }))
        if (trouble !== null) {
          yield* passOver(job, resources.slice(index + 1), progress, trouble)
          return { _tag: 'read', error: null }
        }
        break
      }
      case 'cut': {
        const { code, message, retryable } = reading.failure
        if (retryable && !last) return { _tag: 'again', reason: message }
        error ??= message
        yield* recordMissing(job, [resource], progress, 'failed', { code, message }, reading.open)
        break
      }
      case 'cancelled':
        yield* recordMissing(job, resources.slice(index), progress, 'cancelled', cancelled, reading.open)
        return { _tag: 'cancelled' }
    }
  }
  return { _tag: 'read', error: progress.completed === 0 ? error : null }
})

/** Why the server itself is in trouble, when a list has failed in a way that may be so; null: it is not. */
const doubted = (
  job: Job | ServerJob,
  progress: JobProgress,
  { asksAgain, completed }: { readonly asksAgain: boolean; readonly completed: number },
) =>
  Effect.gen(function* () {
    const { doubt } = progress
    if (doubt === null || !('serverId' in job)) return null
    const told = asksAgain ? yield* askServer(job) : Option.none()
    if (Option.isSome(told)) {
      progress.hear(told.value)
      return told.value._tag === 'answered' ? null : reasonOf(told.value)
    }
    if (yield* (yield* Runs).cancelRequested({ id: job.runId })) return null
    progress.hear(doubt)
    return completed === 0 ? reasonOf(doubt) : null
  })

const reasonOf = ({ code, message }: Reason): Reason => ({ code, message })

/** Records resources as failed without asking for them: the server itself is the trouble, and each question would wait for it anew. */
export const passOver = (
  job: Job | ServerJob,
  resources: ReadonlyArray<Resource>,
  progress: JobProgress,
  { code, message }: Reason,
): Effect.Effect<void, JobStopped, ScopePorts> =>
  recordMissing(job, resources, progress, 'failed', { code, message: `not asked: ${message}` }, null)

const cancelled: Reason = { code: 'cancelled', message: 'the run was cancelled before this was listed to its end' }

/** A whole stream that does not mention what every server has: the gateway no longer knows the server. */
const recordUnheard = (job: Job | ServerJob, resource: Resource, progress: JobProgress) =>
  Effect.gen(function* () {
    if (resource === 'snapshots' || progress.ended(resource)) return
    const message = 'the gateway lists nothing of it: its endpoint is gone or disabled; sync the servers, or enable it'
    yield* recordMissing(job, [resource], progress, 'failed', { code: 'protocol', message }, null)
  })

const recordMissing = (
  job: Job | ServerJob,
  resources: ReadonlyArray<Resource>,
  progress: JobProgress,
  outcome: Unlanded['outcome'],
  reason: Reason,
  open: OpenScope | null,
) =>
  Effect.gen(function* () {
    if (open !== null) yield* endUnlanded(job, progress, { ...open, outcome, reason })
    for (const resource of resources) {
      yield* missingScopes(job, resource, progress).pipe(
        Stream.grouped(mostUnopened),
        Stream.runForEach((scopes) =>
          endUnopened(job, progress, { scopes: Chunk.toReadonlyArray(scopes), outcome, reason }),
        ),
      )
    }
  })
