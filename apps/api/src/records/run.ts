import {
  type Resource,
  type Run,
  type RunJob,
  resources,
  runFields,
  runJobStates,
  runModes,
  runStatuses,
  runTriggers,
  type ScopeResult,
  scopeOutcomes,
  scopeTitle,
  type Warning,
} from '@netbox-pbs/core'
import { z } from 'zod'
import { runUrl } from '../rest/links.ts'
import { runPage } from '../rest/page-paths.ts'
import { recordFilter } from '../rest/read-filter.ts'
import { choice } from '../rest/row.ts'
import { choiceOf, numberOf, scopeFields, time } from './fields.ts'
import { Cost, servedCost } from './request-cost.ts'

const changed = { created: z.int(), updated: z.int(), deleted: z.int() }
const rows = z.object({ ...changed, unchanged: z.int(), held_back: z.int() })
const names: z.ZodType<ReadonlyArray<string>> = z.array(z.string())
const resourceNames: z.ZodType<ReadonlyArray<Resource>> = z.array(z.enum(resources))

/** A run. */
export const SyncRun = z.object({
  id: z.int(),
  url: z.url(),
  display_url: z.url(),
  display: z.string(),
  status: choiceOf(runStatuses),
  trigger: choiceOf(runTriggers),
  mode: choiceOf(runModes).describe(
    'How snapshots are listed. `light`: the groups are listed, and only those are read that have changed, or that are due for a full list.',
  ),
  user: z.string(),
  resources: resourceNames,
  servers: names.nullable(),
  scope_filter: z
    .object({ datastores: names.optional(), namespaces: names.optional(), job_types: names.optional() })
    .nullable()
    .describe('Which scopes of its servers the run covers; null: all.'),
  created: time,
  started: time.nullable(),
  completed: time.nullable(),
  duration_seconds: z.number().nullable(),
  rows_read: z.int(),
  cost: Cost.describe('What its jobs have asked of PBS.'),
  counts: rows.describe('Changes that landed in main, directly or through a merged branch.'),
  staged: z.object(changed).describe('Changes that wait in a branch and are not in main yet.'),
  outcomes: numberOf(scopeOutcomes),
  error: z.string(),
  cancel_requested: z.boolean(),
  scopes_url: z.url(),
  jobs_url: z.url(),
  held_url: z.url(),
})

/** The filters of the list of runs. */
export const runFilter = recordFilter(SyncRun, { fields: runFields })

/** A scope of a run that did not end unchanged. */
export const SyncRunScope = z.object({
  display: z.string(),
  scope: scopeFields,
  outcome: choiceOf(scopeOutcomes),
  reason: z.object({ code: z.string(), message: z.string() }).nullable(),
  counts: rows,
  started: time,
  ended: time,
})

/** A run's part for one server. */
export const SyncRunJob = z.object({
  display: z.string(),
  server: z.string().nullable().describe('Null: the gateway.'),
  state: choiceOf(runJobStates),
  tries: z.int(),
  error: z.string().describe('Error of the last attempt.'),
  rows_read: z.int(),
  cost: Cost.describe('What all its tries have asked of PBS.'),
})

/** A warning of a run, with how often it came. */
export const SyncRunWarning = z.object({
  display: z.string(),
  scope: scopeFields.nullable(),
  code: z.string(),
  message: z.string(),
  count: z.int(),
})

/** A run with its first scopes and its warnings. */
export const SyncRunDetail = SyncRun.extend({
  scopes: z.array(SyncRunScope),
  scope_count: z.int(),
  waits_for_worker_since: time.nullable(),
  warnings: z.array(SyncRunWarning),
})

/** The body that starts a run. */
export const SyncRunRequest = z.object({
  resources: resourceNames.optional(),
  servers: z.array(z.union([z.string(), z.int()])).optional(),
  mode: z.enum(runModes).optional().describe('Left out: `full`.'),
})

/** A run as REST answers it, also during the run. */
export const servedRun = (base: string, run: Run): z.infer<typeof SyncRun> => ({
  id: run.id,
  url: runUrl(base, run.id),
  display_url: `${base}${runPage(run.id)}`,
  display: `Run ${run.id}`,
  status: choice(run.status),
  trigger: choice(run.trigger),
  mode: choice(run.mode),
  user: run.user,
  resources: run.resources,
  servers: run.servers,
  scope_filter: run.scope_filter,
  created: run.created,
  started: run.started,
  completed: run.completed,
  duration_seconds: seconds(run),
  rows_read: run.rows_read,
  cost: servedCost(run.cost),
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
export const servedScope = ({
  scope,
  outcome,
  reason,
  counts,
  started,
  ended,
}: ScopeResult): z.infer<typeof SyncRunScope> => ({
  display: scopeTitle(scope),
  scope,
  outcome: choice(outcome),
  reason,
  counts,
  started,
  ended,
})

/** A run's part for one server; `server` is null for the gateway. */
export const servedJob = ({ server, state, tries, error, rows_read, cost }: RunJob): z.infer<typeof SyncRunJob> => ({
  display: server ?? 'the gateway',
  server,
  state: choice(state),
  tries,
  error,
  rows_read,
  cost: servedCost(cost),
})

/** A warning of a run, with how often it came. */
export const servedWarning = ({ scope, code, message, count }: Warning): z.infer<typeof SyncRunWarning> => ({
  display: scope === null ? message : `${scopeTitle(scope)}: ${message}`,
  scope,
  code,
  message,
  count,
})

function seconds({ started, completed }: Run): number | null {
  return started === null || completed === null ? null : (Date.parse(completed) - Date.parse(started)) / 1000
}
