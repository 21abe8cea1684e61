import type { ModelName } from './registry/field.ts'

/** What a sync may be asked for. */
export const resources = ['servers', 'datastores', 'snapshots', 'jobs', 'tasks'] as const

/** A kind of object that a sync covers. `snapshots` includes the namespaces they lie in. */
export type Resource = (typeof resources)[number]

/**
 * A set that a source can list completely, and so the unit in which a sync lands. Of the tasks of a server it lists those that started since a given time: what
 * such a list lacks stays.
 * Servers are named, as the source names them; the root namespace is the empty string.
 */
export type Scope =
  | { readonly resource: 'servers' }
  | { readonly resource: 'datastores'; readonly server: string }
  | { readonly resource: 'namespaces'; readonly server: string; readonly datastore: string }
  | { readonly resource: 'snapshots'; readonly server: string; readonly datastore: string; readonly namespace: string }
  | { readonly resource: 'jobs'; readonly server: string; readonly job_type: string }
  | { readonly resource: 'tasks'; readonly server: string }

/** A scope of one server, which is every scope but that of the servers themselves. */
export type ServerScope = Exclude<Scope, { readonly resource: 'servers' }>

/** The model whose rows a scope lists. */
export const listedModel = {
  servers: 'server',
  datastores: 'datastore',
  namespaces: 'namespace',
  snapshots: 'snapshot',
  jobs: 'job',
  tasks: 'task',
} as const satisfies Record<Scope['resource'], ModelName>

/** The identity of a scope as one text: equal scopes, equal keys. */
export function scopeKey(scope: Scope): string {
  switch (scope.resource) {
    case 'servers':
      return JSON.stringify([scope.resource])
    case 'datastores':
    case 'tasks':
      return JSON.stringify([scope.resource, scope.server])
    case 'namespaces':
      return JSON.stringify([scope.resource, scope.server, scope.datastore])
    case 'snapshots':
      return JSON.stringify([scope.resource, scope.server, scope.datastore, scope.namespace])
    case 'jobs':
      return JSON.stringify([scope.resource, scope.server, scope.job_type])
  }
}

/** A scope in words, for messages: `snapshots of pbs-a/tank/site-a`. */
export function scopeTitle(scope: Scope): string {
  switch (scope.resource) {
    case 'servers':
      return 'servers'
    case 'datastores':
      return `datastores of ${scope.server}`
    case 'namespaces':
      return `namespaces of ${scope.server}/${scope.datastore}`
    case 'snapshots':
      return `snapshots of ${scope.server}/${scope.datastore}${scope.namespace === '' ? '' : `/${scope.namespace}`}`
    case 'jobs':
      return `${scope.job_type} jobs of ${scope.server}`
    case 'tasks':
      return `tasks of ${scope.server}`
  }
}

/** How a scope of a run ended. */
export const scopeOutcomes = ['landed', 'staged', 'unchanged', 'held_back', 'failed', 'skipped', 'cancelled'] as const

/** How a scope of a run ended: `skipped` is a store in maintenance or not mounted. */
export type ScopeOutcome = (typeof scopeOutcomes)[number]
