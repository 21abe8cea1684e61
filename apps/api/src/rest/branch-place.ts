import { branchedModels, type ModelName } from '@netbox-pbs/core'

/** NetBox's header for the branch of a request: a `schema_id`. */
export const branchHeader = 'X-NetBox-Branch'

/** The same as a parameter. */
export const branchParameter = '_branch'

/**
 * The behaviour of a path when a request names a branch.
 *
 * - `branch`: its rows are branched, and are read and written in the branch.
 * - `main`: its rows are not branched. Reading answers main's; writing is rejected, so that a write
 *   to a branch never changes main.
 * - `any`: it is about the system or about branches themselves, and the same with any branch.
 */
export type BranchPlace = 'branch' | 'main' | 'any'

/** The path of a model's rows. */
export const placeOf = (model: ModelName): 'branch' | 'main' => (branchedModels.includes(model) ? 'branch' : 'main')
