import type { ModelName, Scope } from '@netbox-pbs/core'

/** The model whose rows a scope lists. */
export const listedModel = {
  servers: 'server',
  datastores: 'datastore',
  namespaces: 'namespace',
  snapshots: 'snapshot',
  jobs: 'job',
  tasks: 'task',
} as const satisfies Record<Scope['resource'], ModelName>

/** The models whose rows a scope's part may change in a branch, parents first: tasks land at once. */
/** The models whose rows a scope's part may change, parents first. */
export const scopeModels = {
  servers: ['server'],
  datastores: ['datastore'],
  namespaces: ['namespace'],
  snapshots: ['group', 'snapshot'],
  jobs: ['job'],
  tasks: [],
} as const satisfies Record<Scope['resource'], ReadonlyArray<ModelName>>
