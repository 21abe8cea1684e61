import {
  resources as allResources,
  type Resource,
  type Run,
  type RunMode,
  type RunTrigger,
  type ScopeFilter,
} from '@netbox-pbs/core'
import {
  type Branches,
  type Inventory,
  Queue,
  Runs,
  type SettingsStore,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Data, Effect, Option } from 'effect'
import { openBranch } from '../branches/run-branches.ts'
import { endJob } from './end-run.ts'
import { priorityOf, queueServerJobs } from './queue-server-jobs.ts'

/** The coverage of a run. */
export interface RunRequest {
  readonly resources: ReadonlyArray<Resource>
  /** A text is a name, a number an id; null: every connected server. */
  readonly servers: ReadonlyArray<string | number> | null
  /** Which scopes of them; null, or left out: all. */
  readonly scope_filter?: ScopeFilter | null
  readonly trigger: RunTrigger
  /** Left out: `full`. */
  readonly mode?: RunMode
  /** The user who starts it; empty for a schedule. */
  readonly user: string
}

/** A run was asked for that covers nothing, or the same twice: one sentence per field. */
export class RunNotStarted extends Data.TaggedError('RunNotStarted')<{
  readonly errors: Readonly<Partial<Record<'resources' | 'servers', ReadonlyArray<string>>>>
}> {
  override get message(): string {
    return Object.entries(this.errors)
      .map(([field, texts]) => `${field}: ${texts.join(' ')}`)
      .join('; ')
  }
}

/**
 * Records a run and queues its jobs; a run without jobs is completed at once. A run that covers
 * `servers` begins with a job for the gateway, which queues those of the servers when the list of
 * servers has landed.
 */
export const startRun = Effect.fn('sync.startRun')(function* (
  request: RunRequest,
): Effect.fn.Return<Run, RunNotStarted | StoreFailed, Branches | Inventory | Queue | Runs | SettingsStore> {
  const errors = errorsOf(request)
  if (Object.keys(errors).length > 0) return yield* new RunNotStarted({ errors })
  const resources = allResources.filter((resource) => request.resources.includes(resource))
  return yield* queueRun(yield* (yield* Runs).create({ ...request, resources }))
})

/** Queues the jobs of a run that is recorded. */
export const queueRun = Effect.fn('sync.queueRun')(function* (
  run: Run,
): Effect.fn.Return<Run, StoreFailed, Branches | Inventory | Queue | Runs | SettingsStore> {
  const runs = yield* Runs
  const queue = yield* Queue
  const { id, resources, scope_filter } = run
  // Until the jobs are known the run waits for the gateway's, so that no early end of a server's job ends the run.
  yield* runs.expectJobs({ id, serverIds: [null] })
  const queueing = Effect.gen(function* () {
    yield* openBranch(run)
    if (resources.includes('servers')) {
      yield* queue.enqueue({ runId: id, serverId: null, resources, scope_filter }, priorityOf(run))
      return run
    }
    yield* queueServerJobs(run)
    return yield* endJob({ id, serverId: null, error: null })
  })
  const started = yield* queueing.pipe(
    // A branch that was asked for and cannot be opened ends the run before it has written anything.
    Effect.catchTag('BranchNameTaken', ({ message }) => endJob({ id, serverId: null, error: message })),
    Effect.tapError(({ message }) => Effect.ignore(endJob({ id, serverId: null, error: message }))),
  )
  return Option.getOrElse(yield* runs.get({ id }), () => started)
})

function errorsOf({ resources, servers }: RunRequest): RunNotStarted['errors'] {
  return {
    ...(resources.length === 0 ? { resources: ['Name at least one resource.'] } : {}),
    ...(new Set(resources).size < resources.length ? { resources: ['Each resource may be named once.'] } : {}),
    ...(servers?.length === 0 ? { servers: ['Name at least one server, or leave it out for all of them.'] } : {}),
    ...(new Set(servers).size < (servers?.length ?? 0) ? { servers: ['Each server may be named once.'] } : {}),
  }
}
