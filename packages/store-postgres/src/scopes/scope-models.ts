import { branchedModels, type ModelName, type ScopeResource, scopes } from '@netbox-pbs/core'

/** The models whose rows a scope's part may change in a branch, parents first: tasks land at once. */
export const branchedModelsOf = (resource: ScopeResource): ReadonlyArray<ModelName> =>
  scopes[resource].models.filter((model) => branchedModels.includes(model))
