import { changeActions } from '@netbox-pbs/core'
import { Changes } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { readChangeFilter } from '../changes/read-change-filter.ts'
import { servedChange } from '../changes/serve-change.ts'
import { pathId } from '../inventory/find-row.ts'
import {
  errorResponses,
  idParameter,
  notFoundResponse,
  pageParameters,
  ref,
  response,
  wrongFilter,
} from '../openapi/responses.ts'
import { baseUrl } from '../rest/base-url.ts'
import { notFound } from '../rest/http-error.ts'
import { changesPath } from '../rest/links.ts'
import { loggedObjectTypes } from '../rest/logged-types.ts'
import { respondWithRecords } from '../rest/respond-with-records.ts'
import type { Path } from '../rest/route.ts'
import { type Route, route } from '../rest/route.ts'

const tags = ['plugins']

const integers = { type: 'array' as const, items: { type: 'integer' as const } }
const texts = { type: 'array' as const, items: { type: 'string' as const } }
const choices = (values: ReadonlyArray<string>) => ({
  type: 'array' as const,
  items: { type: 'string' as const, enum: [...values] },
})
const datetime = { type: 'string' as const, format: 'date-time' }

const filters = {
  action: choices(changeActions),
  changed_object_type: choices(loggedObjectTypes),
  changed_object_id: integers,
  user_name: texts,
  request_id: { type: 'array' as const, items: { type: 'string' as const, format: 'uuid' } },
  run: integers,
  branch: integers,
  after_id: { type: 'integer' as const, minimum: 0 },
  time_after: datetime,
  time_before: datetime,
}

const listRoute: Route = route(
  {
    method: 'get',
    path: changesPath,
    tags,
    operationId: 'plugins_pbs_changes_list',
    parameters: [
      ...Object.entries(filters).map(([name, schema]) => ({ name, in: 'query' as const, schema })),
      ...pageParameters,
    ],
    responses: {
      ...errorResponses,
      200: response(
        'The change log, newest first; with `after_id` what followed that entry, oldest first',
        ref('ChangeList'),
      ),
      ...wrongFilter,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const { filter, ignored } = yield* readChangeFilter(new URL(c.req.url).searchParams)
      const changes = yield* Changes
      return yield* respondWithRecords(c, {
        path: changesPath,
        ignored,
        read: (page) => changes.list({ filter, ...page }),
        serve: (change, base) => servedChange(base, change),
      })
    }),
)

const detailRoute: Route = route(
  {
    method: 'get',
    path: `${changesPath}{id}/`,
    tags,
    operationId: 'plugins_pbs_changes_retrieve',
    parameters: [idParameter],
    responses: { ...errorResponses, 200: response('The entry', ref('Change')), ...notFoundResponse },
  },
  (c) =>
    Effect.gen(function* () {
      const id = yield* pathId(c)
      const changes = yield* Changes
      const found = yield* changes.get({ id })
      if (Option.isNone(found)) return yield* notFound('No Change matches the given query.')
      return c.json(servedChange(baseUrl(c), found.value))
    }),
)

/** The change log: what was done to each object, by whom, and in which run or request. */
export const changePaths: ReadonlyArray<Path> = [{ routes: [listRoute] }, { routes: [detailRoute] }]
