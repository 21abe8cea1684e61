import { noRows, type Reason, type Scope, type ScopeOutcome } from '@netbox-pbs/core'
import { ChangeSets, Runs } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { Job } from '../scopes/scope-work.ts'
import { now } from '../timestamp.ts'
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
  { changeSet, runId, serverId }: Job,
  progress: JobProgress,
  { scope, started, outcome, reason }: Unlanded,
) {
  if (started !== null) yield* (yield* ChangeSets).dropScope({ changeSet, scope })
  const ended = yield* now
  const result = { scope, outcome, reason, counts: noRows, started: started ?? ended, ended }
  yield* (yield* Runs).recordScope({ id: runId, serverId, result })
  progress.endedScope(scope)
})

/** Records why scopes that were never opened did not land. */
export const endUnopened = Effect.fn('sync.endUnopened')(function* (
  { runId, serverId }: Job,
  progress: JobProgress,
  { scopes, ...end }: Pick<Unlanded, 'outcome' | 'reason'> & { readonly scopes: ReadonlyArray<Scope> },
) {
  const at = yield* now
  const results = scopes.map((scope) => ({ scope, ...end, counts: noRows, started: at, ended: at }))
  yield* (yield* Runs).recordUnopened({ id: runId, serverId, results })
  for (const scope of scopes) progress.endedScope(scope)
})

/** A store that is out of service on purpose is no failure. */
export const outcomeOf = ({ code }: Reason): 'failed' | 'skipped' =>
  code === 'maintenance' || code === 'not_mounted' ? 'skipped' : 'failed'
