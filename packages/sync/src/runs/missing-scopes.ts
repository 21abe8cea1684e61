import { covers, jobTypes, type Resource, type Scope } from '@netbox-pbs/core'
import { Inventory, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Stream } from 'effect'
import { isServerJob, type Job, type ServerJob } from '../scopes/scope-work.ts'
import type { JobProgress } from './job-progress.ts'

/**
 * The scopes of a resource that have not ended in this job, as far as main knows them. Below a scope that has not ended nothing is named: it says
 * nothing of what is below it. A server of which main knows no datastore is named by its datastores.
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
