import { noRows, type Reason, type Scope, type ScopeOutcome } from '@netbox-pbs/core'
import { ChangeSets, Runs } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { now } from '../moment.ts'
import type { Job } from '../scopes/scope-work.ts'
import type { JobProgress } from './job-progress.ts'

/** A scope that lands nothing. `started` is null when it was never opened. */
export interface Unlanded {
  readonly scope: Scope
  readonly started: string | null
  readonly outcome: Extract<ScopeOutcome, 'failed' | 'skipped' | 'cancelled'>
  readonly reason: Reason
}

/** Drops what a scope has appended and records why it did not land. */
export const endUnlanded = Effect.fn('sync.endUnlanded')(function* (
  { changeSet, runId, server }: Job,
  progress: JobProgress,
  { scope, started, outcome, reason }: Unlanded,
) {
  if (started !== null) yield* (yield* ChangeSets).dropScope({ changeSet, scope })
  const ended = yield* now
  const result = { scope, outcome, reason, counts: noRows, started: started ?? ended, ended }
  yield* (yield* Runs).recordScope({ id: runId, server, result })
  progress.endedScope(scope)
})

/** A store that is out of service on purpose is no failure. */
export const outcomeOf = ({ code }: Reason): 'failed' | 'skipped' =>
  code === 'maintenance' || code === 'not_mounted' ? 'skipped' : 'failed'
