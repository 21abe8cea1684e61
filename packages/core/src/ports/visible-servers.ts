import { FiberRef } from 'effect'

/**
 * Ids of the servers that the present user sees; null: all of them. Lists and records of other
 * servers are as if they were not there: in rows, counts, searches, runs, held deletions and the
 * change log. Only the edge that answers requests sets it, so that a sync sees everything.
 */
export const visibleServers: FiberRef.FiberRef<ReadonlyArray<number> | null> =
  FiberRef.unsafeMake<ReadonlyArray<number> | null>(null)
