import { type Duration, FiberRef, Option } from 'effect'

/**
 * How long one statement outside a transaction may take before it is cancelled and fails as `too_slow`; none: as long as it needs. The edge that answers requests
 * sets it, so that a sync is never cut off. The embedded database cannot be interrupted and does not keep it.
 */
export const statementLimit: FiberRef.FiberRef<Option.Option<Duration.Duration>> = FiberRef.unsafeMake(Option.none())
