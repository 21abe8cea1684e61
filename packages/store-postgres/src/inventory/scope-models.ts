import type { ModelName, Scope } from '@netbox-pbs/core'

/** The models whose rows a scope's part may change, parents first. */
export const scopeModels = {
  servers: ['server'],
  datastores: ['datastore'],
  namespaces: ['namespace'],
  snapshots: ['group', 'snapshot'],
  jobs: ['job'],
} as const satisfies Record<Scope['resource'], ReadonlyArray<ModelName>>
