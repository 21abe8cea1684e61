import type { ModelName } from './registry/field.ts'

/** The resources that a sync may be asked for. */
export const resources = ['servers', 'datastores', 'snapshots', 'jobs', 'tasks'] as const

/** A kind of object that a sync covers. `snapshots` includes their namespaces. */
export type Resource = (typeof resources)[number]

/**
 * The fields that may identify a scope. Servers are named, as the source names them; the root
 * namespace is the empty text.
 */
export type ScopeField = 'server' | 'datastore' | 'namespace' | 'job_type'

/** The shape of the scopes of one resource. */
interface ScopeShape {
  /** The model whose rows such a scope lists and counts. */
  readonly lists: ModelName
  /** The models of all its rows, parents first. */
  readonly models: ReadonlyArray<ModelName>
  /** The fields that identify one of them, in the order of the wire. */
  readonly by: ReadonlyArray<ScopeField>
  /** The request of a sync that lists it. */
  readonly request: Resource
}

/**
 * The scopes: the sets that a source can list completely, and so the units in which a sync lands.
 * All code that depends on the identity of a scope reads this table.
 *
 * The tasks of a server are listed from a given time on; earlier tasks stay.
 */
export const scopes = {
  servers: { lists: 'server', models: ['server'], by: [], request: 'servers' },
  datastores: { lists: 'datastore', models: ['datastore'], by: ['server'], request: 'datastores' },
  namespaces: { lists: 'namespace', models: ['namespace'], by: ['server', 'datastore'], request: 'snapshots' },
  snapshots: {
    lists: 'snapshot',
    models: ['group', 'snapshot'],
    by: ['server', 'datastore', 'namespace'],
    request: 'snapshots',
  },
  jobs: { lists: 'job', models: ['job'], by: ['server', 'job_type'], request: 'jobs' },
  tasks: { lists: 'task', models: ['task'], by: ['server'], request: 'tasks' },
} as const satisfies Readonly<Record<string, ScopeShape>>

type Scopes = typeof scopes

/** The rows of a scope, in the plural. */
export type ScopeResource = keyof Scopes

/** The scope of a resource: its name, and the fields that identify it. */
export type ScopeOf<R extends ScopeResource> = { readonly resource: R } & {
  readonly [Field in Scopes[R]['by'][number]]: string
}

/** A set that a source can list completely: `{ resource: 'datastores', server: 'pbs-a' }`. */
export type Scope = { readonly [R in ScopeResource]: ScopeOf<R> }[ScopeResource]

/** A scope of one server, which is every scope but that of the servers themselves. */
export type ServerScope = Exclude<Scope, { readonly resource: 'servers' }>

/** The identity of a scope of any resource. Every scope has this type. */
export type ScopeFields = { readonly resource?: ScopeResource } & { readonly [Field in ScopeField]?: string }

/** The names of all scopes, from the roots down. */
export const scopeResources = Object.keys(scopes) as ReadonlyArray<ScopeResource> // border: the keys of the table above

/** The resource whose scopes hold the rows of a model. */
export const scopeResourceOf = (model: ModelName): ScopeResource =>
  scopeResources.find((resource) => scopes[resource].models.some((one) => one === model)) ?? 'servers'

/** The scope of a resource, from values that may hold more fields than identify it; one left out is empty. */
export function scopeOf(resource: ScopeResource, values: ScopeFields): Scope {
  const fields = scopes[resource].by.map((field) => [field, values[field] ?? ''])
  return { resource, ...Object.fromEntries(fields) } as Scope // border: the fields come from the table
}

/** The identity of a scope as one text: equal scopes, equal keys. */
export function scopeKey(scope: Scope): string {
  const fields: ScopeFields = scope
  return JSON.stringify([scope.resource, ...scopes[scope.resource].by.map((field) => fields[field])])
}

/** A scope in words, for messages: `snapshots of pbs-a/tank/site-a`. */
export function scopeTitle(scope: Scope): string {
  const { server, datastore, namespace = '', job_type }: ScopeFields = scope
  if (server === undefined) return scope.resource
  const kind = job_type === undefined ? '' : `${job_type} `
  const path = [server, ...(datastore === undefined ? [] : [datastore]), ...(namespace === '' ? [] : [namespace])]
  return `${kind}${scope.resource} of ${path.join('/')}`
}

/** How a scope of a run ended. */
export const scopeOutcomes = ['landed', 'staged', 'unchanged', 'held_back', 'failed', 'skipped', 'cancelled'] as const

/** How a scope of a run ended: `skipped` is a store in maintenance or not mounted. */
export type ScopeOutcome = (typeof scopeOutcomes)[number]
