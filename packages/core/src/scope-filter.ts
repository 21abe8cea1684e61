import { type Resource, type Scope, type ScopeField, type ScopeFields, scopes } from './scope.ts'

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

/** The field of a filter that chooses among the values of a scope's field. Servers are chosen by the run itself. */
const filterOf = {
  datastore: 'datastores',
  namespace: 'namespaces',
  job_type: 'job_types',
} as const satisfies Readonly<Record<Exclude<ScopeField, 'server'>, keyof ScopeFilter>>

/** Whether a run with this filter covers a scope. Null: it has no filter. */
export function covers(scope_filter: ScopeFilter | null, scope: Scope): boolean {
  if (scope.resource === 'namespaces' && scope_filter?.namespaces !== undefined) return false
  const fields: ScopeFields = scope
  return scopes[scope.resource].by.every((field) => {
    const chosen = field === 'server' ? undefined : scope_filter?.[filterOf[field]]
    return chosen?.includes(fields[field] ?? '') ?? true
  })
}

/** The part of the fleet that a run reads from its source. */
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
  const { datastore, namespace, job_type }: ScopeFields = scope
  if (datastore !== undefined && !above.datastore) return { resource: 'datastores', scope_filter: null }
  const scope_filter: ScopeFilter = {
    ...(datastore === undefined ? {} : { datastores: [datastore] }),
    ...(namespace === undefined || !above.namespace ? {} : { namespaces: [namespace] }),
    ...(job_type === undefined ? {} : { job_types: [job_type] }),
  }
  const isWhole = Object.keys(scope_filter).length === 0
  return { resource: scopes[scope.resource].request, scope_filter: isWhole ? null : scope_filter }
}
