import type { Scope, TaskWindow } from '@netbox-pbs/core'
import type { Inventory, StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { BackgroundTask } from './background-task.ts'
import { openDatastoreScope } from './datastore-scope.ts'
import { openJobScope } from './job-scope.ts'
import { openNamespaceScope } from './namespace-scope.ts'
import { isServerJob, type Job, type ScopeWork, type ServerJob } from './scope-work.ts'
import { openServerScope } from './server-scope.ts'
import { SnapshotScope } from './snapshot-scope.ts'
import { TaskScope } from './task-scope.ts'

/**
 * What scopes are opened with: the tasks that were asked for (null: it was not tasks), and where
 * work may be done that the reading of the stream need not wait for.
 */
export interface StepContext {
  readonly window: TaskWindow | null
  readonly background: BackgroundTask
}

/** The work that each kind of scope asks for. */
export function openScope(
  job: Job | ServerJob,
  scope: Scope,
  { window, background }: StepContext,
): Effect.Effect<ScopeWork, StoreFailed, Inventory> {
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
