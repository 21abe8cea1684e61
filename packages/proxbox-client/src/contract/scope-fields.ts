import type { Scope } from '@netbox-pbs/core'
import { z } from 'zod'

/** The fields that name a scope, apart from its resource, in the contract's order. */
const scopeFields = {
  servers: [],
  datastores: ['server'],
  namespaces: ['server', 'datastore'],
  snapshots: ['server', 'datastore', 'namespace'],
  jobs: ['server', 'job_type'],
  tasks: ['server'],
} as const satisfies Record<Scope['resource'], ReadonlyArray<string>>

type ScopeField = 'server' | 'datastore' | 'namespace' | 'job_type'

/** The keys of a scope, as frames carry them flat. Which of them are there depends on the resource: {@link checkScope}. */
export const scopeShape = {
  resource: z.enum(['servers', 'datastores', 'namespaces', 'snapshots', 'jobs', 'tasks']),
  server: z.string().optional(),
  datastore: z.string().optional(),
  namespace: z.string().optional(),
  job_type: z.string().optional(),
} as const

/** Refuses a scope that lacks what its resource needs to be named. */
export function checkScope(value: unknown, context: z.RefinementCtx): void {
  const scope = value as Flat // The shape has been checked: refinements run after it.
  for (const field of scopeFields[scope.resource]) {
    if (scope[field] === undefined) {
      context.addIssue({ code: 'custom', path: [field], message: `a scope of ${scope.resource} needs it` })
    }
  }
}

type Flat = { readonly resource: Scope['resource'] } & { readonly [K in ScopeField]?: string | undefined }

/** The scope that a frame carries flat among its other keys. */
export function scopeOf(frame: Scope): Scope {
  const flat: Flat = frame
  const named = scopeFields[flat.resource].map((field: ScopeField) => [field, flat[field]])
  return { resource: flat.resource, ...Object.fromEntries(named) } as Scope // checkScope saw every field that names it.
}
