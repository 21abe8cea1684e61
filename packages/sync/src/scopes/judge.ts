import { guard, type HoldReason, type Scope } from '@netbox-pbs/core'
import { Inventory, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { Job } from './scope-work.ts'

/** A scope about to land, as the guard sees it. */
export interface Judged {
  readonly scope: Scope
  /** Rows that the source lists now. */
  readonly listed: number
  readonly deletions: number
  /** The view of the list; omitted for a scope that is emptied because its parent is gone, and so has none. */
  readonly view?: string | null
}

/** Why the deletions of a scope must wait; null when they may land. */
export const judge = Effect.fn('sync.judge')(function* (
  job: Job,
  { scope, listed, deletions, view }: Judged,
): Effect.fn.Return<HoldReason | null, StoreFailed, Inventory> {
  if (deletions === 0) return null
  const state = yield* (yield* Inventory).scopeState(scope)
  const verdict = guard({
    settings: job.guard,
    before: state.rows,
    listed,
    deletions,
    viewChanged: view !== undefined && state.view !== null && state.view !== view,
  })
  return verdict._tag === 'hold' ? verdict.reason : null
})
