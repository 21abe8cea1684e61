import { covers, jobTypes, noRows, type Reason, type Resource, type Scope, type ScopeOutcome } from '@netbox-pbs/core'
import { ChangeSets, Inventory, Runs, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Stream } from 'effect'
import { isServerJob, type Job, type ServerJob } from '../scopes/scope-work.ts'
import { now } from '../timestamp.ts'
import { requestLimit } from './day-limit.ts'
import type { JobProgress } from './job-progress.ts'

/** A scope that lands nothing. `started` is null when it was never opened. */
export interface Unlanded {
  readonly scope: Scope
  readonly started: string | null
  readonly outcome: Extract<ScopeOutcome, 'failed' | 'skipped' | 'cancelled'>
  readonly reason: Reason
}

/** Drops the appended changes of a scope and records why it did not land. */
export const endUnlanded = Effect.fn('sync.endUnlanded')(function* (
  { changeSet, runId, serverId }: Job,
  progress: JobProgress,
  { scope, started, outcome, reason }: Unlanded,
) {
  if (started !== null) yield* (yield* ChangeSets).dropScope({ changeSet, scope })
  const ended = yield* now
  const result = { scope, outcome, reason, counts: noRows, started: started ?? ended, ended }
  yield* (yield* Runs).recordScope({ id: runId, serverId, result })
  progress.endedScope(scope)
})

/** Records why scopes that were never opened did not land. */
export const endUnopened = Effect.fn('sync.endUnopened')(function* (
  { runId, serverId }: Job,
  progress: JobProgress,
  { scopes, ...end }: Pick<Unlanded, 'outcome' | 'reason'> & { readonly scopes: ReadonlyArray<Scope> },
) {
  const at = yield* now
  const results = scopes.map((scope) => ({ scope, ...end, counts: noRows, started: at, ended: at }))
  yield* (yield* Runs).recordUnopened({ id: runId, serverId, results })
  for (const scope of scopes) progress.endedScope(scope)
})

/** A store that is out of service on purpose, or a ceiling that is reached, is no failure. */
export const outcomeOf = ({ code }: Reason): 'failed' | 'skipped' =>
  code === 'maintenance' || code === 'not_mounted' || code === requestLimit ? 'skipped' : 'failed'

/**
 * The scopes of a resource that have not ended in this job, as far as main knows them; children of
 * such a scope are not named. A server without a datastore in main is named by its datastores
 * scope.
 */
export function missingScopes(
  job: Job | ServerJob,
  resource: Resource,
  progress: JobProgress,
): Stream.Stream<Scope, StoreFailed, Inventory> {
  return Stream.filter(
    knownScopes(job, resource, progress),
    (scope) => covers(job.scope_filter, scope) && !progress.hasEnded(scope),
  )
}

function knownScopes(
  job: Job | ServerJob,
  resource: Resource,
  progress: JobProgress,
): Stream.Stream<Scope, StoreFailed, Inventory> {
  if (!isServerJob(job)) return Stream.make<[Scope]>({ resource: 'servers' })
  const { server } = job
  switch (resource) {
    case 'servers':
      return Stream.empty
    case 'datastores':
    case 'tasks':
      return Stream.make({ resource, server })
    case 'jobs':
      return Stream.fromIterable(jobTypes).pipe(
        Stream.filter(({ value }) => value !== 'unknown'),
        Stream.map(({ value }) => ({ resource, server, job_type: value })),
      )
    case 'snapshots':
      return datastoresOf(job).pipe(
        Stream.filter((datastore) => job.scope_filter?.datastores?.includes(datastore) ?? true),
        Stream.flatMap((datastore) => scopesOfDatastore(job, datastore, progress)),
        Stream.orElseIfEmpty((): Scope => ({ resource: 'datastores', server })),
      )
  }
}

const datastoresOf = ({ serverId }: ServerJob): Stream.Stream<string, StoreFailed, Inventory> =>
  Stream.unwrap(Effect.map(Inventory, (inventory) => inventory.datastores({ serverId }))).pipe(
    Stream.filter(({ presence }) => presence === 'listed'),
    Stream.map(({ facts }) => facts.name),
  )

function scopesOfDatastore(
  { server, serverId, scope_filter }: ServerJob,
  datastore: string,
  progress: JobProgress,
): Stream.Stream<Scope, StoreFailed, Inventory> {
  if (scope_filter?.namespaces !== undefined) {
    const scopes = scope_filter.namespaces.map(
      (namespace) => ({ resource: 'snapshots', server, datastore, namespace }) as const,
    )
    return Stream.fromIterable(scopes)
  }
  const namespaces: Scope = { resource: 'namespaces', server, datastore }
  if (!progress.hasEnded(namespaces)) return Stream.make(namespaces)
  return Stream.unwrap(Effect.map(Inventory, (inventory) => inventory.namespaces({ serverId, datastore }))).pipe(
    Stream.filter(({ presence }) => presence === 'listed'),
    Stream.map(({ facts }): Scope => ({ resource: 'snapshots', server, datastore, namespace: facts.path })),
  )
}
