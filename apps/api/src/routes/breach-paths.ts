import { Breaches } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { knownServers, pathId } from '../inventory/find-row.ts'
import { errorResponses, idParameter, notFoundResponse, ref, response } from '../openapi/responses.ts'
import { breachFilter, servedBreach } from '../records/breach.ts'
import { notFound } from '../rest/http-error.ts'
import { baseUrl, breachesPath } from '../rest/links.ts'
import { type Path, type Route, route } from '../rest/route.ts'
import { recordList } from './record-list.ts'

const listRoute = recordList({
  path: breachesPath,
  operationId: 'plugins_pbs_breaches_list',
  description: 'The times in which groups had no backup young enough, the latest first',
  schema: 'BreachList',
  filter: breachFilter,
  brief: ['backup_type', 'backup_id', 'begin', 'end'],
  references: (_, named) => knownServers(named),
  read: (request) => Effect.flatMap(Breaches, (breaches) => breaches.list(request)),
  cursor: { idOf: ({ id }) => id, ordered: false },
  serve: (breach, base) => servedBreach(base, breach),
})

const detailRoute: Route = route(
  {
    method: 'get',
    path: `${breachesPath}{id}/`,
    tags: ['plugins'],
    operationId: 'plugins_pbs_breaches_retrieve',
    summary: 'Get a breach',
    description: 'It is kept when the backups are pruned, and when the group or its server has gone.',
    parameters: [idParameter],
    responses: { ...errorResponses, 200: response('The breach', ref('Breach')), ...notFoundResponse },
  },
  (c) =>
    Effect.gen(function* () {
      const found = yield* (yield* Breaches).get({ id: yield* pathId(c) })
      if (Option.isNone(found)) return yield* notFound('No Breach matches the given query.')
      return c.json(servedBreach(baseUrl(c), found.value))
    }),
)

/** Breaches of objectives. */
export const breachPaths: ReadonlyArray<Path> = [{ routes: [listRoute] }, { routes: [detailRoute] }]
