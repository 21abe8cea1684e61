import {
  asleepUntil,
  attemptAt,
  type Contact,
  formatTimestamp,
  nextHealth,
  type Resource,
  type Run,
} from '@netbox-pbs/core'
import {
  Branches,
  ChangeSets,
  type ClaimedJob,
  Inventory,
  type Queue,
  type RequestCosts,
  Runs,
  ServerObservations,
  type ServerRow,
  SettingsStore,
  Source,
  type SourceFrame,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Clock, Effect, Option, Stream } from 'effect'
import type { Job, JobStopped, ScopePorts, ServerJob } from '../scopes/scope-work.ts'
import { logStatus } from '../servers/server-contact.ts'
import { serversAtLimit } from './day-limit.ts'
import { endJob } from './end-run.ts'
import { type ContactReport, JobProgress } from './job-progress.ts'
import { queueAnswered, queueServerJobs } from './queue-server-jobs.ts'
import { leaveOut, type ReadOutcome, readJob, skipRemaining } from './read-job.ts'

/**
 * The result of a queue job.
 *
 * - `done`: its part of the run is recorded; remove it from the queue.
 * - `retry`: something outside failed that may pass; nothing of the open scope landed. Return it to
 *   the queue for another attempt.
 * - `renamed`: its server was renamed during the job; landed scopes stay. Return it to the queue, to
 *   begin again at once under the new name.
 * - `lost`: another worker took it over, or it was cancelled; this worker must not end it.
 */
export type JobOutcome =
  | { readonly _tag: 'done'; readonly run: Run }
  | { readonly _tag: 'retry'; readonly reason: string }
  | { readonly _tag: 'renamed'; readonly reason: string }
  | { readonly _tag: 'lost' }

/** The ports a queue job is run with. */
export type JobPorts = ScopePorts | Queue | ServerObservations | Source

/**
 * Runs one queue job end to end; it fails only when the store fails and cannot even record that.
 * Interrupting it drops the open scope; landed scopes stay.
 */
export const runJob = Effect.fn('sync.runJob')(function* (
  claimed: ClaimedJob,
): Effect.fn.Return<JobOutcome, StoreFailed, JobPorts> {
  const { runId: id, serverId } = claimed.job
  const runs = yield* Runs
  return yield* Effect.gen(function* () {
    // The process that ended it stopped before it removed the job from the queue or ended its run.
    if (!(yield* runs.startJob({ id, serverId }))) return done(yield* endJob({ id, serverId, error: null }))
    const outcome = yield* Effect.acquireUseRelease(
      Effect.flatMap(ChangeSets, (changeSets) => changeSets.open({ runId: id, serverId })),
      (changeSet) => readAll(claimed, changeSet),
      (changeSet) =>
        Effect.flatMap(ChangeSets, (changeSets) => changeSets.close({ changeSet })).pipe(
          // The next change set of this job drops the changes left in this one.
          Effect.catchAll((error) => Effect.logWarning('a change set was left open', error.message)),
        ),
    )
    // A try that fails when its run was cancelled is the last one.
    if (outcome._tag === 'again' && !(yield* runs.cancelRequested({ id }))) return retry(outcome.reason)
    const error = outcome._tag === 'read' ? outcome.error : null
    return done(yield* endJob({ id, serverId, error }))
  }).pipe(
    Effect.catchTags({
      ServerRenamed: ({ message }) => Effect.succeed<JobOutcome>({ _tag: 'renamed', reason: message }),
      ChangeSetClosed: () => Effect.succeed<JobOutcome>({ _tag: 'lost' }),
      WaitingChangesGone: ({ message }) =>
        claimed.last ? Effect.map(endJob({ id, serverId, error: message }), done) : Effect.succeed(retry(message)),
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
  const run = Option.getOrNull(yield* (yield* Runs).get({ id: runId }))
  const job: Job = {
    runId,
    serverId,
    server: null,
    servers: null,
    changeSet,
    branch: Option.getOrNull(branch)?.id ?? null,
    guard: settings,
    scheduled: run?.trigger === 'schedule',
    requestsPerDay: settings.pbs_requests_per_day,
    taskRetentionDays: settings.task_retention_days,
    light: run?.mode === 'light',
    scope_filter,
  }
  return yield* serverId === null ? readGateway(claimed, job) : readServer(claimed, { ...job, serverId })
})

/**
 * The gateway's job: the servers, and the jobs of those that the run covers: of a server that
 * answers at once, of all others when the list has landed.
 */
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
  const outcome = yield* Effect.provideService(
    readJob(
      { ...job, servers: yield* contacted(job, Option.getOrNull(planned), known) },
      ['servers'],
      new JobProgress(),
      {
        last: claimed.last,
        asksAgain: false,
      },
    ),
    Source,
    answering,
  )
  if (outcome._tag !== 'read' || outcome.error !== null) return outcome
  const run = yield* (yield* Runs).get({ id: job.runId })
  if (Option.isNone(run)) return outcome
  if (run.value.cancel_requested) return { _tag: 'cancelled' }
  yield* queueServerJobs(run.value, queued)
  return outcome
})

/**
 * The names of the servers that a run's list of servers contacts, without those at their ceiling, and of a scheduled run
 * without those that sleep; null: all.
 */
const contacted = (
  { requestsPerDay, scheduled }: Job,
  planned: Run | null,
  known: ReadonlyMap<string, ServerRow>,
): Effect.Effect<ReadonlyArray<string> | null, StoreFailed, RequestCosts> =>
  Effect.gen(function* () {
    const atLimit = yield* serversAtLimit(requestsPerDay)
    const now = yield* Clock.currentTimeMillis
    const names = planned?.servers ?? null
    const mayBeAsked = (name: string) => {
      const row = known.get(name)
      if (row === undefined) return true
      return !atLimit.has(row.id) && !(scheduled && asleepUntil(row.timing.sleep_hours, now) !== null)
    }
    if (names === null && [...known.keys()].every(mayBeAsked)) return null
    return (names ?? [...known.keys()]).filter(mayBeAsked)
  })

/**
 * A server's job: reads everything below the server and records its health. A server that keeps
 * failing gets at most one request per run, which the queue does not repeat, and none when the
 * run's list of servers has just met its failure.
 */
const readServer = Effect.fn('sync.readServer')(function* (
  claimed: ClaimedJob,
  job: Job & { readonly serverId: number },
): Effect.fn.Return<ReadOutcome, JobStopped, ScopePorts | ServerObservations | Source> {
  const { serverId, runId } = job
  const inventory = yield* Inventory
  const found = yield* inventory.server({ id: serverId })
  if (Option.isNone(found)) {
    const name = Option.getOrElse(yield* inventory.serverName({ id: serverId }), () => 'the server')
    return { _tag: 'read', error: `${name} is no longer in the inventory: nothing of it was synced` }
  }
  const row = found.value
  const progress = new JobProgress()
  const serverJob: ServerJob = { ...job, server: row.facts.name }
  const requested = claimed.job.resources.filter((resource) => resource !== 'servers')
  // The tasks tell a light run which datastores have changed.
  const resources = job.light ? tasksFirst(requested) : requested
  const wakes = job.scheduled ? asleepUntil(row.timing.sleep_hours, yield* Clock.currentTimeMillis) : null
  if (wakes !== null) return yield* leaveAsleep(serverJob, resources, wakes)
  const attempt = attemptAt(row.health, runId)
  if (attempt === 'none') return yield* readNothing(serverJob, row, resources)
  const outcome = yield* readJob(serverJob, resources, progress, {
    last: claimed.last || attempt === 'once',
    // In this run the smallest request to the server has just failed.
    asksAgain: attempt === 'whole' && row.health?.failed_run !== runId,
  })
  if (progress.lastContact !== null) yield* recordHealth(serverId, runId, progress.lastContact)
  return outcome
})

const tasksFirst = (resources: ReadonlyArray<Resource>): ReadonlyArray<Resource> => [
  ...resources.filter((resource) => resource === 'tasks'),
  ...resources.filter((resource) => resource !== 'tasks'),
]

/** The job of a server that sleeps on purpose: it is not asked, and that is no failure. */
const leaveAsleep = (job: ServerJob, resources: ReadonlyArray<Resource>, wakes: number) =>
  Effect.gen(function* () {
    const until = formatTimestamp(wakes)
    const message = `not asked for: ${job.server} sleeps until ${until}, by its sleep_hours; a run that a user starts asks it now`
    yield* leaveOut(job, resources, new JobProgress(), { code: 'asleep', message })
    const outcome: ReadOutcome = { _tag: 'read', error: null }
    return outcome
  })

/** The job of a server that this run has already found failing, as many runs before it. */
const readNothing = (job: ServerJob, { health }: ServerRow, resources: ReadonlyArray<Resource>) =>
  Effect.gen(function* () {
    const code = health?.last_error_code ?? 'unreachable'
    const message = `${health?.consecutive_failures ?? 0} runs in a row have failed: ${health?.last_error ?? ''}`
    yield* skipRemaining(job, resources, new JobProgress(), { code, message })
    const outcome: ReadOutcome = { _tag: 'read', error: null }
    return outcome
  })

/**
 * Records the contacts of a job with its server. The health is read again first: the run's list of
 * servers may have landed during the job, with measurements of its own.
 */
const recordHealth = (
  id: number,
  runId: number,
  report: ContactReport,
): Effect.Effect<void, StoreFailed, Inventory | Runs | ServerObservations> =>
  Effect.gen(function* () {
    const server = Option.getOrNull(yield* (yield* Inventory).server({ id }))
    if (server === null) return
    const { facts, health: before } = server
    const checked = facts.verify_ssl || facts.fingerprint !== ''
    const contact: Contact = { ...report, runId, checked }
    const health = nextHealth(before, contact)
    yield* (yield* ServerObservations).record({ serverId: id, health })
    yield* logStatus(facts.name, before, health)
    // The run's list of servers has warned of it already.
    if (report._tag !== 'failed' || report.code !== 'tls_fingerprint_mismatch' || before?.failed_run === runId) return
    const warning = { scope: null, code: report.code, message: `${facts.name}: ${report.message}`, count: 1 }
    yield* (yield* Runs).warn({ id: runId, warnings: [warning] })
  })
