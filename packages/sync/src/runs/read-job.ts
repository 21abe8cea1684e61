import type { Reason, Resource } from '@netbox-pbs/core'
import {
  type ClaimedJob,
  Inventory,
  mostUnopened,
  Runs,
  ServerRenamed,
  Source,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Chunk, Clock, Effect, Option, Stream } from 'effect'
import { isServerJob, type Job, type JobStopped, type ScopePorts, type ServerJob } from '../scopes/scope-work.ts'
import { isBusy } from '../servers/reconcile-servers.ts'
import { contactOf } from '../servers/server-contact.ts'
import { now } from '../timestamp.ts'
import { limitReached, requestsLeft } from './day-limit.ts'
import type { ContactReport, JobProgress } from './job-progress.ts'
import { type OpenScope, type ResourceOutcome, readResource } from './read-resource.ts'
import { endUnlanded, endUnopened, missingScopes, outcomeOf, type Unlanded } from './unlanded-scopes.ts'

/**
 * The result of reading a job's resources. `error` is set when nothing at all could be listed, or a ceiling left some out;
 * `again`: the source failed in a way that may pass, and an attempt is left.
 */
export type ReadOutcome =
  | { readonly _tag: 'read'; readonly error: string | null }
  | { readonly _tag: 'cancelled' }
  | { readonly _tag: 'again'; readonly reason: string }

/**
 * Reads the resources one after the other; scopes that a failed stream did not end are recorded as
 * failed, and those that a cancel left as cancelled. A failure that may be the server's is checked by
 * one smallest request, unless `asksAgain` is false: if it is answered, the list alone has failed.
 */
export const readJob = Effect.fn('sync.readJob')(function* (
  claimed: Job | ServerJob,
  resources: ReadonlyArray<Resource>,
  progress: JobProgress,
  { last, asksAgain }: Pick<ClaimedJob, 'last'> & { readonly asksAgain: boolean },
): Effect.fn.Return<ReadOutcome, JobStopped, ScopePorts | Source> {
  let error: string | null = null
  for (const [index, resource] of resources.entries()) {
    const job = yield* underCurrentName(claimed)
    const left = isServerJob(job) ? yield* requestsLeft(job) : null
    if (left === 0 && isServerJob(job)) {
      const reason = yield* limitReached(job)
      yield* leaveOut(job, resources.slice(index), progress, reason)
      return { _tag: 'read', error: reason.message }
    }
    const read: ResourceOutcome = yield* readResource(
      job,
      { resource, server: job.server, ...(left === null ? {} : { mostRequests: left }) },
      progress,
    )
    if (read._tag !== 'cancelled' && !isClean(read, progress)) {
      const changing = yield* requireSameName(job)
      if (changing !== null && !last && isEmpty(read)) return { _tag: 'again', reason: changing }
    }
    switch (read._tag) {
      case 'whole': {
        yield* read.failedAbove === null
          ? recordUnlisted(job, resource, progress)
          : recordMissing(job, [resource], progress, outcomeOf(read.failedAbove), read.failedAbove, null)
        const serverFailure = read.serverFailure ?? (yield* serverFailureOf(job, progress, { ...read, asksAgain }))
        if (serverFailure !== null) {
          yield* skipRemaining(job, resources.slice(index + 1), progress, serverFailure)
          return { _tag: 'read', error: progress.limit }
        }
        break
      }
      case 'cut': {
        const { code, message, retryable } = read.failure
        if (retryable && !last) return { _tag: 'again', reason: message }
        error ??= message
        yield* recordMissing(job, [resource], progress, 'failed', { code, message }, read.open)
        break
      }
      case 'cancelled':
        yield* recordMissing(job, resources.slice(index), progress, 'cancelled', cancelled, read.open)
        return { _tag: 'cancelled' }
    }
  }
  return { _tag: 'read', error: progress.limit ?? (progress.completed === 0 ? error : null) }
})

/** A job with the name that its server has now: the source knows servers by name. */
const underCurrentName = (job: Job | ServerJob): Effect.Effect<Job | ServerJob, StoreFailed, Inventory> =>
  isServerJob(job)
    ? Effect.map(
        Effect.flatMap(Inventory, (inventory) => inventory.server({ id: job.serverId })),
        (row) => (Option.isSome(row) ? { ...job, server: row.value.facts.name } : job),
      )
    : Effect.succeed(job)

/**
 * Fails when the server of a job was renamed since the request to its source, because the old name
 * explains missing rows. Returns an error text when the server's endpoint is being changed at the
 * gateway, else null.
 */
const requireSameName = (job: Job | ServerJob): Effect.Effect<string | null, StoreFailed | ServerRenamed, Inventory> =>
  Effect.gen(function* () {
    if (!isServerJob(job)) return null
    const { server: before, serverId } = job
    const row = yield* (yield* Inventory).server({ id: serverId })
    if (Option.isNone(row)) return null
    const after = row.value.facts.name
    if (after !== before) return yield* new ServerRenamed({ serverId, before, after })
    if (!isBusy(row.value, yield* Clock.currentTimeMillis)) return null
    return `${after} is being changed at the gateway: nothing of it can be listed until that is done`
  })

/** Whether a source has listed scopes of a resource, without a failure beyond single scopes. */
const isClean = (read: ResourceOutcome, progress: JobProgress): boolean =>
  read._tag === 'whole' &&
  read.completed > 0 &&
  read.failedAbove === null &&
  read.serverFailure === null &&
  progress.upstreamHold === null

/** Whether no scope of a resource was listed completely. */
const isEmpty = (read: ResourceOutcome): boolean => read._tag !== 'whole' || read.completed === 0

/** Whether a complete stream has the scopes that every server has. */
const hasHeard = (resource: Resource, progress: JobProgress): boolean =>
  resource === 'snapshots' || progress.ended(resource)

/**
 * The failure of the server itself, when a list has failed in a way that may be the server's; null:
 * there is none.
 */
const serverFailureOf = (
  job: Job | ServerJob,
  progress: JobProgress,
  { asksAgain, completed }: { readonly asksAgain: boolean; readonly completed: number },
) =>
  Effect.gen(function* () {
    const { upstreamHold } = progress
    if (upstreamHold === null || !isServerJob(job)) return null
    const reported = asksAgain ? yield* askServer(job) : Option.none()
    if (Option.isSome(reported)) {
      progress.record(reported.value)
      return reported.value._tag === 'answered' ? null : reasonOf(reported.value)
    }
    if (yield* (yield* Runs).cancelRequested({ id: job.runId })) return null
    progress.record(upstreamHold)
    return completed === 0 ? reasonOf(upstreamHold) : null
  })

const reasonOf = ({ code, message }: Reason): Reason => ({ code, message })

/**
 * Records resources as failed without a request: the server itself fails, and each request would wait
 * for it again.
 */
export const skipRemaining = (
  job: Job | ServerJob,
  resources: ReadonlyArray<Resource>,
  progress: JobProgress,
  { code, message }: Reason,
): Effect.Effect<void, JobStopped, ScopePorts> =>
  recordMissing(job, resources, progress, 'failed', { code, message: `not asked: ${message}` }, null)

/** Records resources as skipped on purpose, without a request. */
export const leaveOut = (
  job: Job | ServerJob,
  resources: ReadonlyArray<Resource>,
  progress: JobProgress,
  reason: Reason,
): Effect.Effect<void, JobStopped, ScopePorts> => recordMissing(job, resources, progress, 'skipped', reason, null)

const cancelled: Reason = { code: 'cancelled', message: 'the run was cancelled before this was listed completely' }

/** A complete stream without the scopes that every server has: the gateway no longer knows the server. */
const recordUnlisted = (job: Job | ServerJob, resource: Resource, progress: JobProgress) =>
  Effect.gen(function* () {
    if (hasHeard(resource, progress)) return
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

/** How often a request to a server looks whether its run was cancelled. */
const lookMillis = 250

/**
 * Makes the source send its smallest request to a server, and returns the contact. None: the source
 * cannot do it, or the run was cancelled before the answer.
 */
const askServer = Effect.fn('sync.askServer')(function* ({
  server,
  runId,
}: Pick<ServerJob, 'server' | 'runId'>): Effect.fn.Return<Option.Option<ContactReport>, StoreFailed, Runs | Source> {
  const runs = yield* Runs
  const frames = (yield* Source).frames({ resource: 'servers', servers: [server], run: String(runId) })
  const asking = frames.pipe(
    Stream.filterMap((frame) =>
      frame._tag === 'server' && frame.facts.name === server ? Option.some(frame.observed) : Option.none(),
    ),
    Stream.runHead,
    Effect.orElseSucceed(() => Option.none()),
  )
  const cancelled = runs
    .cancelRequested({ id: runId })
    .pipe(Effect.delay(lookMillis), Effect.repeat({ until: (found) => found }), Effect.as(Option.none()))
  const reported = yield* Effect.raceFirst(asking, cancelled)
  const at = yield* now
  return Option.flatMapNullable(reported, (observed) => contactOf(observed, { at, runId }))
})
