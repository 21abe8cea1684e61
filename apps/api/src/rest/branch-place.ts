import { branchedModels, type ModelName } from '@netbox-pbs/core'

/** NetBox's header for the branch of a request: a `schema_id`. */
export const branchHeader = 'X-NetBox-Branch'

/** The same as a parameter. */
export const branchParameter = '_branch'

/**
 * What a path does for a request that names a branch.
 *
 * - `branch`: its rows are branched, and are read and written in the branch.
 * - `main`: nothing here is branched. Reading answers main's; writing is refused, so that what was
 *   meant for a branch never changes main.
 * - `any`: it is about the system or about branches themselves, and the same whatever is named.
 */
export type BranchPlace = 'branch' | 'main' | 'any'

/** Where the rows of a model lie. */
export const placeOf = (model: ModelName): 'branch' | 'main' => (branchedModels.includes(model) ? 'branch' : 'main')
