import { privilegesMissing, type Reason, type Scope, type TaskWindow, type Warning } from '@netbox-pbs/core'
import {
  type Branches,
  type Inventory,
  Runs,
  Source,
  SourceFailed,
  type SourceFrame,
  type SourceRequest,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Data, Effect, Stream } from 'effect'
import { BackgroundTask } from '../scopes/background-task.ts'
import { openDatastoreScope } from '../scopes/datastore-scope.ts'
import { openJobScope } from '../scopes/job-scope.ts'
import { knownDigests } from '../scopes/known-digests.ts'
import { openNamespaceScope } from '../scopes/namespace-scope.ts'
import { type Requested, readStep, type Step } from '../scopes/read-step.ts'
import {
  isServerJob,
  type Job,
  type JobStopped,
  type ScopePorts,
  type ScopeWork,
  type ServerJob,
} from '../scopes/scope-work.ts'
import { openServerScope } from '../scopes/server-scope.ts'
import { SnapshotScope } from '../scopes/snapshot-scope.ts'
import { readWindow, TaskScope } from '../scopes/task-scope.ts'
import { now } from '../timestamp.ts'
import { limitReached, requestLimit } from './day-limit.ts'
import type { JobProgress } from './job-progress.ts'
import { recordCosts } from './record-costs.ts'
import { endUnlanded, outcomeOf, type Unlanded } from './unlanded-scopes.ts'

/** The scope that was open when a stream stopped. */
export interface OpenScope {
  readonly scope: Scope
  readonly started: string
}

/** The result of reading one resource. Scopes that completed have landed, also when a later one failed. */
export type ResourceOutcome =
  /**
   * `failedAbove`: the failure of the parent scope, so that nothing of the resource could be listed.
   * `serverFailure`: the same where the server itself failed. `completed`: scopes listed completely.
   */
  | {
      readonly _tag: 'whole'
      readonly failedAbove: Reason | null
      readonly serverFailure: Reason | null
      readonly completed: number
    }
  | { readonly _tag: 'cut'; readonly failure: SourceFailed; readonly open: OpenScope | null }
  | { readonly _tag: 'cancelled'; readonly open: OpenScope | null }

/** How often a job looks whether it was cancelled, whether frames come or not. */
const lookMillis = 250

class CancelRequested extends Data.TaggedError('CancelRequested') {}

/** Reads everything that a source lists of one resource, a frame at a time, and lands each scope as it completes. */
export const readResource = Effect.fn('sync.readResource')(function* (
  job: Job | ServerJob,
  requested: Requested,
  progress: JobProgress,
): Effect.fn.Return<ResourceOutcome, JobStopped, ScopePorts | Source> {
  const { resource, server } = requested
  const source = yield* Source
  const runs = yield* Runs
  const clock = yield* Effect.clock
  const window = resource === 'tasks' && isServerJob(job) ? yield* readWindow(job) : null
  const isLight = job.light && progress.hasSeenAll('tasks')
  const known = resource === 'snapshots' && isServerJob(job) ? yield* knownDigests(job, isLight) : {}
  const background = yield* BackgroundTask.make
  const reader = new ResourceReader(job, requested, { progress, window, background })
  const isCancelled = runs.cancelRequested({ id: job.runId })
  const noteProgress = Effect.suspend(() =>
    runs.progress({ id: job.runId, serverId: job.serverId, rowsRead: progress.rows + reader.listed }),
  )
  // Held while frames are taken in: a cancel never interrupts a landing, only the wait for the next frame.
  const taking = yield* Effect.makeSemaphore(1)
  let cancelled = false
  const cancelling = isCancelled.pipe(
    Effect.delay(lookMillis),
    Effect.repeat({ until: (found) => found }),
    Effect.tap(() => {
      cancelled = true
    }),
    Effect.zipRight(taking.take(1)),
    Effect.zipRight(new CancelRequested()),
  )
  const frames = source.frames({
    resource,
    run: String(job.runId),
    ...job.scope_filter,
    ...serversOf(job, server),
    ...(requested.mostRequests === undefined ? {} : { most_requests: requested.mostRequests }),
    ...known,
    ...(typeof window?.since === 'number' ? { since: window.since } : {}),
  })
  // Two pieces of the stream, with unparsed groups, are read ahead while the store works.
  const reading = Stream.runForEachChunk(Stream.bufferChunks(frames, { capacity: 2 }), (chunk) =>
    Effect.gen(function* () {
      for (const frame of chunk) {
        if (cancelled) return yield* new CancelRequested()
        if (progress.noteDue(clock.unsafeCurrentTimeMillis())) yield* noteProgress
        const step = reader.take(frame)
        if (step !== null) yield* step
      }
    }).pipe(taking.withPermits(1)),
  )
  progress.noteDue(clock.unsafeCurrentTimeMillis())
  return yield* noteProgress.pipe(
    Effect.zipRight(isCancelled),
    Effect.filterOrFail(
      (found) => !found,
      () => new CancelRequested(),
    ),
    Effect.zipRight(background.during(Effect.raceFirst(reading, cancelling))),
    Effect.zipRight(Effect.suspend(() => (reader.ended ? Effect.succeed(reader.whole) : cutOff(resource)))),
    Effect.catchTags({
      SourceFailed: (failure) => Effect.succeed<ResourceOutcome>({ _tag: 'cut', failure, open: reader.open }),
      CancelRequested: () => Effect.succeed<ResourceOutcome>({ _tag: 'cancelled', open: reader.open }),
    }),
    Effect.tap(reader.flushWarnings),
  )
})

/** Which servers are asked: the job's own; by the list of servers those that the run is about. */
const serversOf = ({ servers }: Job, server: string | null): Pick<SourceRequest, 'servers'> => {
  if (server !== null) return { servers: [server] }
  return servers === null ? {} : { servers }
}

const cutOff = (resource: string): SourceFailed =>
  new SourceFailed({
    code: 'cut_off',
    message: `the stream of ${resource} stopped before its end; the next run reads it again`,
    retryable: true,
  })

const broken = (message: string): SourceFailed =>
  new SourceFailed({ code: 'protocol', message: `the source broke its contract: ${message}`, retryable: false })

/** Warnings kept before they are written. */
const maxWarnings = 100

/** Follows one stream. A scope that breaks loses its work, and its remaining frames are passed over. */
class ResourceReader {
  readonly #job: Job | ServerJob
  readonly #requested: Requested
  readonly #progress: JobProgress
  readonly #window: TaskWindow | null
  readonly #background: BackgroundTask
  #open: (OpenScope & { readonly work: ScopeWork | null }) | null = null
  #warnings: Array<Warning> = []
  #failedAbove: Reason | null = null
  #serverFailure: Reason | null = null
  #completed = 0
  ended = false

  constructor(
    job: Job | ServerJob,
    requested: Requested,
    {
      progress,
      window,
      background,
    }: { readonly progress: JobProgress; readonly window: TaskWindow | null; readonly background: BackgroundTask },
  ) {
    this.#background = background
    this.#job = job
    this.#requested = requested
    this.#progress = progress
    this.#window = window
  }

  /** The open scope; null as well when it has broken, for then it has ended. */
  get open(): OpenScope | null {
    return this.#open?.work === null ? null : this.#open
  }

  get whole(): ResourceOutcome {
    const serverFailure = this.#completed === 0 ? this.#serverFailure : null
    return { _tag: 'whole', failedAbove: this.#failedAbove, serverFailure, completed: this.#completed }
  }

  get listed(): number {
    return this.#open?.work?.listed ?? 0
  }

  /** The work that a frame asks for; null: none. */
  take(frame: SourceFrame): Effect.Effect<void, SourceFailed | JobStopped, ScopePorts> | null {
    const step = readStep(this.#requested, this.#open?.scope ?? null, frame)
    if (frame._tag === 'failed' && step._tag !== 'broken') {
      return Effect.zipRight(this.#onFailure(frame), this.#follow(step) ?? Effect.void)
    }
    return this.#follow(step)
  }

  #onFailure(frame: Extract<SourceFrame, { readonly _tag: 'failed' }>): Effect.Effect<void> {
    return Effect.map(now, (at) => {
      const { code, message } = frame
      if (this.#progress.onFailure(frame, at) === 'server') this.#serverFailure = { code, message }
    })
  }

  #follow(step: Step): Effect.Effect<void, SourceFailed | JobStopped, ScopePorts> | null {
    switch (step._tag) {
      case 'row':
        return this.#guarded((work) => work.row(step.frame))
      case 'opened':
        return this.#opened(step.scope)
      case 'completed':
        return Effect.zipRight(
          this.#guarded((work, { scope }) =>
            Effect.gen(this, function* () {
              yield* work.complete(step)
              if (step.leftOut > 0) this.#progress.recordPartial(this.#requested.resource)
              this.#progress.completedScope(scope, work.listed, yield* now)
              this.#completed++
            }),
          ) ?? Effect.void,
          this.#closed,
        )
      case 'failed': {
        const { scope } = step
        if (this.#open?.work === null) return this.#closed
        const started = this.#open?.started ?? null
        const end = Effect.flatMap(this.#reasonOf(step.reason), (reason) =>
          this.#endUnlanded({ scope, started, outcome: outcomeOf(reason), reason }),
        )
        return Effect.zipRight(end, this.#closed)
      }
      case 'opened_above':
        return Effect.map(now, (started) => {
          this.#open = { scope: step.scope, started, work: null }
        })
      case 'failed_above':
        return Effect.zipRight(
          Effect.map(this.#reasonOf(step.reason), (reason) => {
            this.#failedAbove = reason
          }),
          this.#closed,
        )
      case 'warned':
        if (step.warning.code === privilegesMissing) this.#progress.recordPartial(this.#requested.resource)
        this.#warnings.push(step.warning)
        return this.#warnings.length < maxWarnings ? Effect.void : this.flushWarnings
      case 'ended':
        this.ended = true
        return recordCosts(this.#job, step.costs)
      case 'broken':
        return broken(step.message)
    }
  }

  /** A ceiling is known here and not to the source; it is noted for the whole job. */
  #reasonOf(reason: Reason): Effect.Effect<Reason> {
    const job = this.#job
    if (reason.code !== requestLimit || !isServerJob(job)) return Effect.succeed(reason)
    return Effect.tap(limitReached(job), ({ message }) => {
      this.#progress.limit = message
    })
  }

  /** Writes the warnings gathered so far. */
  get flushWarnings(): Effect.Effect<void, StoreFailed, Runs> {
    return Effect.gen(this, function* () {
      const warnings = this.#warnings
      this.#warnings = []
      if (warnings.length > 0) yield* (yield* Runs).warn({ id: this.#job.runId, warnings })
    })
  }

  #opened(scope: Scope) {
    return Effect.gen(this, function* () {
      const started = yield* now
      this.#open = {
        scope,
        started,
        work: yield* openScope(this.#job, scope, { window: this.#window, background: this.#background }),
      }
    })
  }

  /** A step of the open scope's work; when the scope breaks there, it ends as failed. */
  #guarded(
    use: (work: ScopeWork, open: OpenScope) => ReturnType<ScopeWork['row']>,
  ): Effect.Effect<void, JobStopped, ScopePorts> | null {
    const open = this.#open
    if (open === null || open.work === null) return null
    const step = use(open.work, open)
    if (step === null) return null
    return Effect.catchTag(step, 'ScopeBroken', ({ code, message }) => {
      const { scope, started } = open
      this.#open = { scope, started, work: null }
      return this.#endUnlanded({ scope, started, outcome: 'failed', reason: { code, message } })
    })
  }

  /** A scope that ends without landing takes no more changes. */
  #endUnlanded(unlanded: Unlanded) {
    return Effect.zipRight(this.#background.stop, endUnlanded(this.#job, this.#progress, unlanded))
  }

  get #closed(): Effect.Effect<void, StoreFailed, Runs> {
    return Effect.suspend(() => {
      this.#open = null
      return this.flushWarnings
    })
  }
}

/**
 * The context in which scopes are opened: the tasks that were asked for (null: it was not tasks),
 * and a background task for work that the stream need not wait for.
 */
interface StepContext {
  readonly window: TaskWindow | null
  readonly background: BackgroundTask
}

/** The work that each kind of scope asks for. */
function openScope(
  job: Job | ServerJob,
  scope: Scope,
  { window, background }: StepContext,
): Effect.Effect<ScopeWork, StoreFailed, Inventory | Branches> {
  if (scope.resource === 'servers') return openServerScope(job, scope)
  if (!isServerJob(job)) return Effect.dieMessage('a scope of a server in the job of the gateway')
  switch (scope.resource) {
    case 'datastores':
      return openDatastoreScope(job, scope)
    case 'namespaces':
      return openNamespaceScope(job, scope)
    case 'snapshots':
      return SnapshotScope.open(job, scope, background)
    case 'jobs':
      return openJobScope(job, scope)
    case 'tasks':
      return window === null ? Effect.dieMessage('tasks without a window') : TaskScope.open(job, scope, window)
  }
}
