import type { Branch } from '@netbox-pbs/core'
import { Branches, BranchNotFound, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'

/** The branch of an id. */
export const branchById = (id: number): Effect.Effect<Branch, StoreFailed | BranchNotFound, Branches> =>
  Effect.gen(function* () {
    const branches = yield* Branches
    // An id beyond what a number can hold is no branch's.
    const found = Number.isSafeInteger(id) ? yield* branches.get({ id }) : Option.none()
    return Option.isSome(found) ? found.value : yield* new BranchNotFound({ id })
  })
