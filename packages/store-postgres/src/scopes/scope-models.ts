import type { ModelName, Scope } from '@netbox-pbs/core'

/** The models whose rows a scope's part may change in a branch, parents first: tasks land at once. */
export const scopeModels = {
  servers: ['server'],
  datastores: ['datastore'],
  namespaces: ['namespace'],
  snapshots: ['group', 'snapshot'],
  jobs: ['job'],
  tasks: [],
} as const satisfies Record<Scope['resource'], ReadonlyArray<ModelName>>
