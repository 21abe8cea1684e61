import { unavailability } from './availability.ts'
import type { PbsState } from './pbs-state.ts'
import { countOf } from './series.ts'

/** Snapshots that a full audit can list: in stores that can be read, in groups whose owner can be read. */
export const countSnapshots = (state: PbsState): number => {
  let count = 0
  for (const store of state.datastores) {
    if (unavailability(state, store) !== null) continue
    for (const { groups } of store.namespaces)
      for (const group of groups) if (group.ownerReadable) count += countOf(group)
  }
  return count
}
