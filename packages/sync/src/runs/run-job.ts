import {
  Branches,
  ChangeSets,
  type ClaimedJob,
  Inventory,
  type Queue,
  Runs,
  type ServerObservations,
  type ServerRow,
  SettingsStore,
  Source,
  type SourceFrame,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Effect, Option, Stream } from 'effect'
import type { Job, JobStopped, ScopePorts } from '../scopes/scope-work.ts'
import { endJob } from './end-job.ts'
import type { JobOutcome } from './job-outcome.ts'
import { JobProgress } from './job-progress.ts'
import { queueAnswered, queueServerJobs } from './queue-server-jobs.ts'
import { type ReadOutcome, readJob } from './read-job.ts'
import { readServer } from './read-server.ts'

/** The ports a queue job is run with. */
export type JobPorts = ScopePorts | Queue | ServerObservations | Source

/**
 * Runs one queue job end to end. It fails only when the store does and not even that can be recorded. Interrupting it drops the scope that is open;
 * scopes that have landed stay.
 */
export const runJob = Effect.fn('sync.runJob')(function* (
  claimed: ClaimedJob,
): Effect.fn.Return<JobOutcome, StoreFailed, JobPorts> {
  const { runId: id, serverId } = claimed.job
  const runs = yield* Runs
  return yield* Effect.gen(function* () {
    // Whoever ended it did not come to take it off the queue, or to end its run.
    if (!(yield* runs.startJob({ id, serverId }))) return done(yield* endJob({ id, serverId, error: null }))
    const reading = yield* Effect.acquireUseRelease(
      Effect.flatMap(ChangeSets, (changeSets) => changeSets.open({ runId: id, serverId })),
      (changeSet) => readAll(claimed, changeSet),
      (changeSet) =>
        Effect.flatMap(ChangeSets, (changeSets) => changeSets.close({ changeSet })).pipe(
          // Whoever opens the next change set of this job drops what is left in this one.
          Effect.catchAll((error) => Effect.logWarning('a change set was left open', error.message)),
        ),
    )
    // A try that fails when its run was cancelled is the last one.
    if (reading._tag === 'again' && !(yield* runs.cancelRequested({ id }))) return retry(reading.reason)
    const error = reading._tag === 'read' ? reading.error : null
    return done(yield* endJob({ id, serverId, error }))
  }).pipe(
    Effect.catchTags({
      ServerRenamed: ({ message }) => Effect.succeed<JobOutcome>({ _tag: 'renamed', reason: message }),
      ChangeSetClosed: () => Effect.succeed<JobOutcome>({ _tag: 'lost' }),
      BranchNotOpen: ({ message }) => Effect.map(endJob({ id, serverId, error: message }), done),
      BranchNameTaken: ({ message }) => Effect.map(endJob({ id, serverId, error: message }), done),
      StoreFailed: ({ passes, message }) =>
        passes && !claimed.last
          ? Effect.succeed(retry(message))
          : Effect.map(endJob({ id, serverId, error: message }), done),
    }),
  )
})

const retry = (reason: string): JobOutcome => ({ _tag: 'retry', reason })
const done = (run: Extract<JobOutcome, { readonly _tag: 'done' }>['run']): JobOutcome => ({ _tag: 'done', run })

const readAll = Effect.fn('sync.readAll')(function* (
  claimed: ClaimedJob,
  changeSet: number,
): Effect.fn.Return<ReadOutcome, JobStopped, JobPorts> {
  const { runId, serverId, scope_filter = null } = claimed.job
  const settings = yield* (yield* SettingsStore).get()
  const branch = yield* (yield* Branches).ofRun({ runId })
  const job: Job = {
    runId,
    serverId,
    server: null,
    servers: null,
    changeSet,
    branch: Option.getOrNull(branch)?.id ?? null,
    guard: settings,
    taskRetentionDays: settings.task_retention_days,
    scope_filter,
  }
  return yield* serverId === null ? readGateway(claimed, job) : readServer(claimed, { ...job, serverId })
})

/** The gateway's job: the servers, and the jobs of those that the run covers: of a server that answers at once, of all others when the list has landed. */
const readGateway = Effect.fn('sync.readGateway')(function* (
  claimed: ClaimedJob,
  job: Job,
): Effect.fn.Return<ReadOutcome, JobStopped, JobPorts> {
  const planned = yield* (yield* Runs).get({ id: job.runId })
  const known = new Map<string, ServerRow>()
  yield* Stream.runForEach((yield* Inventory).servers(), (row) => Effect.sync(() => known.set(row.facts.name, row)))
  const queued = new Set<number>()
  const queueing = (frame: SourceFrame) =>
    Effect.gen(function* () {
      if (frame._tag !== 'server' || frame.observed.status !== 'reachable' || Option.isNone(planned)) return
      if (frame.observed.error !== undefined) return
      const id = yield* queueAnswered(planned.value, frame.facts, known)
      if (id !== null) queued.add(id)
    }).pipe(
      // The end of the list queues it.
      Effect.catchAll(({ message }) => Effect.logWarning('a job could not be queued yet', message)),
    )
  const source = yield* Source
  const context = yield* Effect.context<Queue | Runs>()
  const answering = Source.of({
    frames: (request) => Stream.tap(source.frames(request), (frame) => Effect.provide(queueing(frame), context)),
  })
  const reading = yield* Effect.provideService(
    readJob({ ...job, servers: Option.getOrNull(planned)?.servers ?? null }, ['servers'], new JobProgress(), {
      last: claimed.last,
      asksAgain: false,
    }),
    Source,
    answering,
  )
  if (reading._tag !== 'read' || reading.error !== null) return reading
  const run = yield* (yield* Runs).get({ id: job.runId })
  if (Option.isNone(run)) return reading
  if (run.value.cancel_requested) return { _tag: 'cancelled' }
  yield* queueServerJobs(run.value, queued)
  return reading
})
