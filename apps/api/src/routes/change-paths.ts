import { Changes } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { pathId } from '../inventory/find-row.ts'
import { errorResponses, idParameter, notFoundResponse, ref, response } from '../openapi/responses.ts'
import { changeFilter, servedChange } from '../records/change.ts'
import { pageOf } from '../rest/envelope.ts'
import { notFound } from '../rest/http-error.ts'
import { baseUrl, changesPath } from '../rest/links.ts'
import { type Path, type Route, route } from '../rest/route.ts'

import { recordList } from './record-list.ts'

const tags = ['plugins']

const listRoute = recordList({
  path: changesPath,
  operationId: 'plugins_pbs_changes_list',
  description: 'The change log, newest first; with `after_id` the entries after that one, oldest first',
  schema: 'ChangeList',
  filter: changeFilter,
  read: (query) => Effect.flatMap(Changes, (changes) => changes.list({ filter: query, ...pageOf(query) })),
  cursor: { idOf: ({ id }) => id, ordered: true },
  serve: (change, base) => servedChange(base, change),
})

const detailRoute: Route = route(
  {
    method: 'get',
    path: `${changesPath}{id}/`,
    tags,
    operationId: 'plugins_pbs_changes_retrieve',
    summary: 'Get an entry of the change log',
    description: 'An update or deletion with the values before and after, its author, and its run or request.',
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

/** The change log: the changes of each object, their author, and their run or request. */
export const changePaths: ReadonlyArray<Path> = [
  { byServer: true, routes: [listRoute] },
  { byServer: true, routes: [detailRoute] },
]
