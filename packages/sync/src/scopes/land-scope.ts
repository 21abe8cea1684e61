import {
  type HoldReason,
  type Reason,
  type RowCounts,
  type Scope,
  type ScopeOutcome,
  type ScopeResult,
  whyHeld,
} from '@netbox-pbs/core'
import { ChangeSets } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { now } from '../moment.ts'
import { decidedOf, reasonOf, type Verdict } from './judge.ts'
import type { Job, JobStopped } from './scope-work.ts'

/** A scope whose changes are all appended and judged. */
export interface ReadyScope {
  readonly scope: Scope
  readonly started: string
  /** View of the list that was complete: the scope's own, or that which lacks its parent. */
  readonly view: string | null
  readonly verdict: Verdict
  /** False when it is emptied because its parent is gone. */
  readonly listed: boolean
  /** Changes appended, of any model, without the deletions of rows that a dismissed set keeps. */
  readonly changes: number
  /** Rows found equal. */
  readonly unchanged: number
}

/** How a landing ended. */
export interface Landed {
  readonly outcome: ScopeOutcome
  readonly counts: RowCounts
}

/** Lands a scope, or stages it in the run's branch, and records how it ended: both or neither. */
export const landScope = Effect.fn('sync.landScope')(function* (
  job: Job,
  { scope, started, view, verdict, listed, changes, unchanged }: ReadyScope,
): Effect.fn.Return<Landed, JobStopped, ChangeSets> {
  const changeSets = yield* ChangeSets
  const { branch, changeSet, runId, server } = job
  const end = (touched: RowCounts): Landed & { readonly reason: Reason | null } => {
    const counts = { ...touched, unchanged }
    const waiting = counts.held_back > 0
    const reached = branch === null ? 'landed' : 'staged'
    return {
      outcome: waiting ? 'held_back' : changes > 0 ? reached : 'unchanged',
      counts,
      reason: waiting ? holdReason(reasonOf(verdict) ?? 'rows_below', counts.held_back) : null,
    }
  }
  const result = (touched: RowCounts): Effect.Effect<ScopeResult> =>
    Effect.map(now, (ended) => ({ scope, started, ended, ...end(touched) }))
  const { held } = verdict
  const record = { server, result }
  const landing = { changeSet, scope, runId, at: yield* now, view, held, listed, record, ...decidedOf(verdict) }
  if (branch === null) return end(yield* changeSets.land(landing))
  // In a branch what is held back, or kept, is a conflict for its reviewer.
  return end((yield* changeSets.stage({ ...landing, held: reasonOf(verdict), branch })).counts)
})

function holdReason(code: HoldReason, rows: number): Reason {
  return { code, message: `${rows} rows that are no longer listed stay: ${whyHeld[code]}` }
}
