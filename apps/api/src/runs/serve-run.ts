import { type Run, type RunJob, type ScopeResult, scopeTitle, type Warning } from '@netbox-pbs/core'
import { Workers, type WorkersState } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { runUrl } from '../rest/links.ts'
import { runPage } from '../rest/page-paths.ts'
import { choice } from '../rest/row.ts'

/** A run as REST answers it, also while it goes on. */
export const servedRun = (base: string, run: Run) => ({
  id: run.id,
  url: runUrl(base, run.id),
  display_url: `${base}${runPage(run.id)}`,
  display: `Run ${run.id}`,
  status: choice(run.status),
  trigger: choice(run.trigger),
  user: run.user,
  resources: run.resources,
  servers: run.servers,
  scope_filter: run.scope_filter,
  created: run.created,
  started: run.started,
  completed: run.completed,
  duration_seconds: seconds(run),
  rows_read: run.rows_read,
  counts: run.counts,
  staged: run.staged,
  outcomes: run.outcomes,
  error: run.error,
  cancel_requested: run.cancel_requested,
  scopes_url: `${runUrl(base, run.id)}scopes/`,
  jobs_url: `${runUrl(base, run.id)}jobs/`,
  held_url: `${runUrl(base, run.id)}held/`,
})

/** A scope that did not end unchanged. */
export const servedScope = ({ scope, outcome, reason, counts, started, ended }: ScopeResult) => ({
  display: scopeTitle(scope),
  scope,
  outcome: choice(outcome),
  reason,
  counts,
  started,
  ended,
})

/** A run's part for one server; `server` is null for the gateway. */
export const servedJob = ({ server, state, tries, error, rows_read }: RunJob) => ({
  display: server ?? 'the gateway',
  server,
  state: choice(state),
  tries,
  error,
  rows_read,
})

/** A warning of a run, with how often it came. */
export const servedWarning = ({ scope, code, message, count }: Warning) => ({
  display: scope === null ? message : `${scopeTitle(scope)}: ${message}`,
  scope,
  code,
  message,
  count,
})

function seconds({ started, completed }: Run): number | null {
  return started === null || completed === null ? null : (Date.parse(completed) - Date.parse(started)) / 1000
}

/** Why nothing is synced, as a sentence without its stop; null: a worker runs. */
export function workerNotice({ running, lastHeartbeat }: WorkersState): string | null {
  if (running > 0) return null
  const since = lastHeartbeat === null ? 'No worker has started yet' : `No worker has run since ${lastHeartbeat}`
  return `${since}: runs wait until one starts (start:worker)`
}

/** Since when a run waits because no worker runs, RFC 3339; null: it does not. */
export const waitsForWorkerSince = (run: Pick<Run, 'completed' | 'created'>) =>
  Effect.gen(function* () {
    if (run.completed !== null) return null
    const { running, lastHeartbeat } = yield* (yield* Workers).state()
    if (running > 0) return null
    return lastHeartbeat === null || Date.parse(lastHeartbeat) < Date.parse(run.created) ? run.created : lastHeartbeat
  })
