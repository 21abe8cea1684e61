import type { HoldReason, Reason, RowCounts, Scope, ScopeOutcome, ScopeResult } from '@netbox-pbs/core'
import { ChangeSets } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { now } from '../moment.ts'
import type { Job, JobStopped } from './scope-work.ts'

/** A scope whose changes are all appended and judged. */
export interface ReadyScope {
  readonly scope: Scope
  readonly started: string
  readonly view: string | null
  readonly held: HoldReason | null
  /** False when it is emptied because its parent is gone. */
  readonly listed: boolean
  /** Changes appended, of any model. */
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
  { scope, started, view, held, listed, changes, unchanged }: ReadyScope,
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
      reason: waiting ? holdReason(held ?? 'rows_below', counts.held_back) : null,
    }
  }
  const result = (touched: RowCounts): Effect.Effect<ScopeResult> =>
    Effect.map(now, (ended) => ({ scope, started, ended, ...end(touched) }))
  const landing = { changeSet, scope, runId, at: yield* now, view, held, listed, record: { server, result } }
  const touched =
    branch === null ? yield* changeSets.land(landing) : (yield* changeSets.stage({ ...landing, branch })).counts
  return end(touched)
})

function holdReason(code: HoldReason, rows: number): Reason {
  const why = {
    view_changed: 'the privileges it is listed with are not those of the last complete list',
    emptied: 'the list is empty',
    too_many: 'more are gone than guard_max_share and guard_min_rows let go at once',
    rows_below: 'rows below them are held back',
  }[code]
  return { code, message: `${rows} rows that are no longer listed stay: ${why}` }
}
