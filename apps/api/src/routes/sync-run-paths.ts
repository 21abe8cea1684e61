import { runAllows } from '@netbox-pbs/core'
import { Runs } from '@netbox-pbs/core/ports'
import { cancelRun, startRun } from '@netbox-pbs/sync'
import { Effect, Option } from 'effect'
import { readNothing } from '../branches/read-branch-request.ts'
import { pathId } from '../inventory/find-row.ts'
import { bodyErrors, errorResponses, idParameter, json, notFoundResponse, ref, response } from '../openapi/responses.ts'
import {
  runFilter,
  SyncRunJob,
  SyncRunScope,
  servedJob,
  servedRun,
  servedScope,
  servedWarning,
} from '../records/run.ts'
import type { ApiContext } from '../rest/caller.ts'
import { badRequest, forbidden, notFound } from '../rest/http-error.ts'
import { baseUrl, runsPath, runUrl } from '../rest/links.ts'
import { readBody } from '../rest/read-body.ts'
import { recordFilter } from '../rest/read-filter.ts'
import { type Path, type Route, route } from '../rest/route.ts'
import { cancelOthers, mayCancel } from '../runs/cancel-right.ts'
import { readRunRequest } from '../runs/run-request.ts'
import { waitsForWorkerSince } from '../runs/worker-notice.ts'

import { recordList, recordListOf } from './record-list.ts'

const tags = ['plugins']

/** Scopes that a run's own object shows; the rest is in its paged list. */
const shownScopes = 50

/** The run that a path names, or 404. */
export const findRun = (c: ApiContext) =>
  Effect.gen(function* () {
    const id = yield* pathId(c)
    const runs = yield* Runs
    const run = Number.isSafeInteger(id) ? yield* runs.get({ id }) : Option.none()
    return Option.isSome(run) ? run.value : yield* notFound('No Sync run matches the given query.')
  })

const listRoute = recordList({
  path: runsPath,
  operationId: 'plugins_pbs_sync_runs_list',
  description: 'The runs, newest first',
  schema: 'SyncRunList',
  filter: runFilter,
  read: (query) => Effect.flatMap(Runs, (runs) => runs.list(query)),
  cursor: { idOf: ({ id }) => id, ordered: true },
  serve: (run, base) => servedRun(base, run),
})

const startRoute: Route = route(
  {
    method: 'post',
    path: runsPath,
    tags,
    operationId: 'plugins_pbs_sync_runs_create',
    summary: 'Start a sync run',
    description: 'Queues a run for all servers, or for those that the body names. A worker takes it.',
    requestBody: { content: json(ref('SyncRunRequest')) },
    responses: { ...errorResponses, 201: response('The run, waiting for a worker', ref('SyncRun')), ...bodyErrors },
  },
  (c) =>
    Effect.gen(function* () {
      const request = yield* Effect.flatMap(readBody(c), readRunRequest)
      const run = yield* startRun({ ...request, trigger: 'manual', user: c.get('caller').username })
      const base = baseUrl(c)
      return c.json(servedRun(base, run), 201, { Location: runUrl(base, run.id) })
    }),
)

const detailRoute: Route = route(
  {
    method: 'get',
    path: `${runsPath}{id}/`,
    tags,
    operationId: 'plugins_pbs_sync_runs_retrieve',
    summary: 'Get a sync run',
    description: 'With its status, counts, warnings and branch.',
    parameters: [idParameter],
    responses: {
      ...errorResponses,
      200: response('The run, with its first scopes and its warnings', ref('SyncRunDetail')),
      ...notFoundResponse,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const run = yield* findRun(c)
      const runs = yield* Runs
      const scopes = yield* runs.scopes({ id: run.id, limit: shownScopes, offset: 0 })
      const warnings = yield* runs.warnings({ id: run.id })
      return c.json({
        ...servedRun(baseUrl(c), run),
        waits_for_worker_since: yield* waitsForWorkerSince(run),
        scopes: scopes.rows.map(servedScope),
        scope_count: scopes.count,
        warnings: warnings.map(servedWarning),
      })
    }),
)

const scopesRoute = recordListOf({
  path: `${runsPath}{id}/scopes/`,
  operationId: 'plugins_pbs_sync_runs_scopes_list',
  description: 'The scopes that did not end unchanged',
  schema: 'SyncRunScopeList',
  filter: recordFilter(SyncRunScope),
  owner: findRun,
  read: ({ id }, page) => Effect.flatMap(Runs, (runs) => runs.scopes({ id, ...page })),
  serve: servedScope,
})

const jobsRoute = recordListOf({
  path: `${runsPath}{id}/jobs/`,
  operationId: 'plugins_pbs_sync_runs_jobs_list',
  description: 'The jobs, those that need attention first',
  schema: 'SyncRunJobList',
  filter: recordFilter(SyncRunJob),
  owner: findRun,
  read: ({ id }, page) => Effect.flatMap(Runs, (runs) => runs.jobs({ id, ...page })),
  serve: servedJob,
})

const cancelRoute: Route = route(
  {
    method: 'post',
    path: `${runsPath}{id}/cancel/`,
    tags,
    operationId: 'plugins_pbs_sync_runs_cancel',
    summary: 'Cancel a sync run',
    description: 'What has landed stays; scopes that have not landed change nothing.',
    parameters: [idParameter],
    responses: {
      ...errorResponses,
      200: response('The run; queued jobs never begin, active ones stop', ref('SyncRun')),
      ...bodyErrors,
      400: response('The run has ended, or the body is not empty', { anyOf: [ref('FieldErrors'), ref('Detail')] }),
      ...notFoundResponse,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const run = yield* findRun(c)
      yield* Effect.flatMap(readBody(c), readNothing)
      if (!mayCancel(run, c.get('caller'))) return yield* forbidden(cancelOthers)
      if (!runAllows(run, 'cancel')) return yield* badRequest(`Run ${run.id} has ended.`)
      const cancelled = yield* cancelRun({ id: run.id })
      return c.json(
        servedRun(
          baseUrl(c),
          Option.getOrElse(cancelled, () => run),
        ),
      )
    }),
)

/** Runs: start one, follow it, read the results of each job and scope, cancel it. */
export const syncRunPaths: ReadonlyArray<Path> = [
  { writers: 'operator', byServer: true, routes: [listRoute, startRoute] },
  { writers: 'operator', byServer: true, routes: [detailRoute] },
  { writers: 'operator', byServer: true, routes: [scopesRoute] },
  { writers: 'operator', byServer: true, routes: [jobsRoute] },
  { writers: 'operator', byServer: true, routes: [cancelRoute] },
]
