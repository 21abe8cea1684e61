import type { HoldReason, Scope } from '@netbox-pbs/core'
import { Inventory, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Stream } from 'effect'
import { addChildren, type ChildRows, type Emptying, noChildren } from './child-rows.ts'
import type { ScopeJudgement } from './land-scope.ts'
import type { Job, JobStopped, ScopePorts } from './scope-work.ts'

/**
 * The names that main's rows refer to and that neither a list nor a row of a source has. Rows refer to
 * their datastore and namespace by name, and a user may delete the row of that name: while PBS has the
 * thing the next list brings its row back, else no list speaks of the rows below again.
 */
export const namesWithoutRow = (
  inUse: Stream.Stream<string, StoreFailed>,
  listed: Iterable<string>,
  ofSource: Iterable<string>,
): Effect.Effect<ReadonlyArray<string>, StoreFailed> => {
  const known = new Set([...listed, ...ofSource])
  return Effect.map(Stream.runCollect(Stream.filter(inUse, (name) => !known.has(name))), (names) => [...names])
}

/** A complete list that lacks some names, about to land. */
interface LackingList {
  readonly scope: Scope
  readonly names: ReadonlyArray<string>
  readonly verdict: ScopeJudgement
  readonly visibility: string | null
}

/**
 * Empties the scopes below names without a row. No row says that a list lacked the name before, so the
 * rows themselves go with the list of the second run; they are held when that list, or its visibility,
 * is in doubt.
 *
 * Returns the visibility that the list lands with: the last one, while rows below wait.
 */
export const emptyBelowNames = Effect.fn('sync.emptyBelowNames')(function* (
  { runId }: Job,
  { scope, names, verdict, visibility }: LackingList,
  empty: (name: string, emptying: Emptying) => Effect.Effect<ChildRows, JobStopped, ScopePorts>,
): Effect.fn.Return<string | null, JobStopped, ScopePorts> {
  if (names.length === 0) return visibility
  const landed = (yield* (yield* Inventory).scopeState(scope)).visibility
  const upstreamHold: HoldReason | null = landed !== null && landed !== visibility ? 'visibility_changed' : verdict.held
  let below = noChildren
  for (const name of names) below = addChildren(below, yield* empty(name, { runId, visibility, upstreamHold }))
  return below.waiting + below.noted > 0 ? (landed ?? visibility) : visibility
})
