import type { Resource, Scope } from './scope.ts'

/**
 * The scopes that a run covers; a field left out does not limit them. It chooses scopes, never part of
 * one, and so never the datastores of a server.
 */
export interface ScopeFilter {
  readonly datastores?: ReadonlyArray<string>
  /** Exact paths, of the chosen datastores. With them the list of a datastore's namespaces is not read. */
  readonly namespaces?: ReadonlyArray<string>
  readonly job_types?: ReadonlyArray<string>
}

/** Whether a run with this filter covers a scope. Null: it has no filter. */
export function covers(scope_filter: ScopeFilter | null, scope: Scope): boolean {
  const { datastores, namespaces, job_types } = scope_filter ?? {}
  switch (scope.resource) {
    case 'servers':
    case 'datastores':
    case 'tasks':
      return true
    case 'namespaces':
      return namespaces === undefined && (datastores?.includes(scope.datastore) ?? true)
    case 'snapshots':
      return (datastores?.includes(scope.datastore) ?? true) && (namespaces?.includes(scope.namespace) ?? true)
    case 'jobs':
      return job_types?.includes(scope.job_type) ?? true
  }
}

/** What a run asks of its source. */
export interface Coverage {
  readonly resource: Resource
  readonly scope_filter: ScopeFilter | null
}

/** Which parents of a scope main knows as listed by their source. */
export interface ListedAbove {
  readonly datastore: boolean
  readonly namespace: boolean
}

/**
 * The smallest request whose lists judge a scope's rows again. A scope whose parent is no longer
 * listed has no list of its own: it is emptied by the list that
 * lacks the parent.
 */
export function coverageOf(scope: Scope, above: ListedAbove): Coverage {
  switch (scope.resource) {
    case 'servers':
    case 'datastores':
    case 'tasks':
      return { resource: scope.resource, scope_filter: null }
    case 'namespaces':
      return above.datastore ? { resource: 'snapshots', scope_filter: { datastores: [scope.datastore] } } : allStores
    case 'snapshots': {
      if (!above.datastore) return allStores
      const datastores = [scope.datastore]
      if (!above.namespace) return { resource: 'snapshots', scope_filter: { datastores } }
      return { resource: 'snapshots', scope_filter: { datastores, namespaces: [scope.namespace] } }
    }
    case 'jobs':
      return { resource: 'jobs', scope_filter: { job_types: [scope.job_type] } }
  }
}

const allStores: Coverage = { resource: 'datastores', scope_filter: null }
