import type { Branch } from '@netbox-pbs/core'
import { Branches, InventoryLists, InventoryWrites } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'

/** Runs what reads and writes the inventory in a branch: it is given the branch's lists and writes in place of main's. */
export const inBranch = <A, E, R>(
  { id }: Pick<Branch, 'id'>,
  work: Effect.Effect<A, E, R>,
): Effect.Effect<A, E, Branches | Exclude<Exclude<R, InventoryLists>, InventoryWrites>> =>
  Effect.flatMap(Branches, (branches) => {
    const { lists, writes } = branches.overlay({ id })
    return work.pipe(Effect.provideService(InventoryLists, lists), Effect.provideService(InventoryWrites, writes))
  })
