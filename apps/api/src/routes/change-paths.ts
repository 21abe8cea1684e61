import { Changes } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
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
import { changeFilter, servedChange } from '../records/change.ts'
import { respondWithRecords } from '../rest/envelope.ts'
import { notFound } from '../rest/http-error.ts'
import { baseUrl, changesPath } from '../rest/links.ts'
import { type Path, type Route, route } from '../rest/route.ts'

const tags = ['plugins']

const listRoute: Route = route(
  {
    method: 'get',
    path: changesPath,
    tags,
    operationId: 'plugins_pbs_changes_list',
    parameters: [...changeFilter.parameters, ...pageParameters],
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
      const { filter, ignored } = yield* changeFilter.read(new URL(c.req.url).searchParams)
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
