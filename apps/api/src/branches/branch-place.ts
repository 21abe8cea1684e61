import { branchedModels, type ModelName } from '@netbox-pbs/core'

/**
 * What a path does for a request that names a branch.
 *
 * - `inside`: its rows are branched, and are read and written in the branch.
 * - `main`: nothing here is branched. Reading answers main's; writing is refused, so that what was meant for a branch never changes main.
 * - `any`: it is about the system or about branches themselves, and the same whatever is named.
 */
export type BranchPlace = 'inside' | 'main' | 'any'

/** Where the rows of a model lie. */
export const placeOf = (model: ModelName): 'inside' | 'main' => (branchedModels.includes(model) ? 'inside' : 'main')
