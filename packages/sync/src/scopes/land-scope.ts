import { type HoldReason, type Reason, type RowCounts, type Scope, type ScopeOutcome, whyHeld } from '@netbox-pbs/core'
import { ChangeSets, Runs } from '@netbox-pbs/core/ports'
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

/** Lands a scope, or stages it in the run's branch, and records how it ended. Interrupted before the landing is over, nothing of it happened; after it, it is recorded. */
export const landScope = Effect.fn('sync.landScope')(function* (
  job: Job,
  { scope, started, view, verdict, listed, changes, unchanged }: ReadyScope,
): Effect.fn.Return<Landed, JobStopped, ChangeSets | Runs> {
  const changeSets = yield* ChangeSets
  const runs = yield* Runs
  const { branch, changeSet, runId, server } = job
  return yield* Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const at = yield* now
      const { held } = verdict
      const landing = { changeSet, scope, runId, at, view, held, listed, ...decidedOf(verdict) }
      // In a branch what is held back, or kept, is a conflict for its reviewer.
      const staged =
        branch === null ? null : yield* restore(changeSets.stage({ ...landing, held: reasonOf(verdict), branch }))
      const touched = staged === null ? yield* restore(changeSets.land(landing)) : staged.counts
      const counts = { ...touched, unchanged }
      const waiting = counts.held_back > 0
      const reached = staged === null ? 'landed' : 'staged'
      const outcome: ScopeOutcome = waiting ? 'held_back' : changes > 0 ? reached : 'unchanged'
      const reason = waiting ? holdReason(reasonOf(verdict) ?? 'rows_below', counts.held_back) : null
      const result = { scope, outcome, reason, counts, started, ended: yield* now }
      yield* runs.recordScope({ id: runId, server, result })
      return { outcome, counts }
    }),
  )
})

function holdReason(code: HoldReason, rows: number): Reason {
  return { code, message: `${rows} rows that are no longer listed stay: ${whyHeld[code]}` }
}
