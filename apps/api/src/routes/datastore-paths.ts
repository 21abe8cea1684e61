import { DatastoreUsage } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { findRow } from '../inventory/find-row.ts'
import {
  branchParameters,
  errorResponses,
  idParameter,
  notFoundResponse,
  pageParameters,
  ref,
  response,
  wrongFilter,
} from '../openapi/responses.ts'
import { UsagePoint } from '../records/server.ts'
import { envelope, nameIgnored, offsetPage } from '../rest/envelope.ts'
import { baseUrl, listPath } from '../rest/links.ts'
import { recordFilter } from '../rest/read-filter.ts'
import { type Path, type Route, route } from '../rest/route.ts'

const usageRoute: Route = route(
  {
    method: 'get',
    path: `${listPath('datastore')}{id}/usage/`,
    tags: ['plugins'],
    operationId: 'plugins_pbs_datastores_usage_list',
    parameters: [idParameter, ...pageParameters, ...branchParameters],
    responses: {
      ...errorResponses,
      200: response('How full the datastore was, newest first', ref('UsagePointList')),
      ...wrongFilter,
      ...notFoundResponse,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const { id } = yield* findRow('datastore', c)
      const params = new URL(c.req.url).searchParams
      const { ignored } = yield* recordFilter(UsagePoint, {}).read(params)
      nameIgnored(c, ignored)
      const page = offsetPage(params)
      const { count, rows } = yield* (yield* DatastoreUsage).points({ datastoreId: id, ...page })
      const results = rows.map(({ time, used_bytes, total_bytes }) => ({ time, used_bytes, total_bytes }))
      const url = `${baseUrl(c)}${listPath('datastore')}${id}/usage/`
      return c.json(envelope({ page: { _tag: 'offset', ...page }, count, results, lastId: null, url, params }))
    }),
)

/** The usage history of datastores. Observations are not branched, but the set of datastores is. */
export const datastorePaths: ReadonlyArray<Path> = [{ branch: 'inside', routes: [usageRoute] }]
