import { DatastoreUsage } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { baseUrl } from '../http/base-url.ts'
import { nameIgnored } from '../http/ignored-parameters.ts'
import type { Path } from '../http/mount-routes.ts'
import { offsetPage } from '../http/offset-page.ts'
import { readFilter } from '../http/read-filter.ts'
import { type Route, route } from '../http/route.ts'
import { envelope } from '../inventory/envelope.ts'
import { findRow } from '../inventory/find-row.ts'
import { listPath } from '../inventory/links.ts'
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
      const { ignored } = yield* readFilter(params, 'UsagePoint', {})
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
