import { Deliveries } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { readNothing } from '../branches/read-branch-request.ts'
import { pathId } from '../inventory/find-row.ts'
import { bodyErrors, errorResponses, idParameter, notFoundResponse, ref, response } from '../openapi/responses.ts'
import { deliveryFilter, servedDelivery, servedDeliveryDetail } from '../records/delivery.ts'
import { type ApiContext, actorOf } from '../rest/caller.ts'
import { pageOf } from '../rest/envelope.ts'
import { badRequest, notFound } from '../rest/http-error.ts'
import { baseUrl, deliveriesPath } from '../rest/links.ts'
import { readBody } from '../rest/read-body.ts'
import { type Path, type Route, route } from '../rest/route.ts'
import { recordList } from './record-list.ts'

const tags = ['plugins']

const listRoute = recordList({
  path: deliveriesPath,
  operationId: 'plugins_pbs_deliveries_list',
  description: 'The requests that webhooks are sent, newest first',
  schema: 'DeliveryList',
  filter: deliveryFilter,
  read: (query) => Effect.flatMap(Deliveries, (deliveries) => deliveries.list({ filter: query, ...pageOf(query) })),
  cursor: { idOf: ({ id }) => id, ordered: true },
  serve: (delivery, base) => servedDelivery(base, delivery),
})

const findDelivery = (c: ApiContext) =>
  Effect.gen(function* () {
    const id = yield* pathId(c)
    const found = yield* (yield* Deliveries).get({ id })
    return Option.isSome(found) ? found.value : yield* notFound('No Delivery matches the given query.')
  })

const detailRoute: Route = route(
  {
    method: 'get',
    path: `${deliveriesPath}{id}/`,
    tags,
    operationId: 'plugins_pbs_deliveries_retrieve',
    summary: 'Get a delivery',
    description: 'With what was sent and what came back.',
    parameters: [idParameter],
    responses: { ...errorResponses, 200: response('The delivery', ref('DeliveryDetail')), ...notFoundResponse },
  },
  (c) => Effect.map(findDelivery(c), (found) => c.json(servedDeliveryDetail(baseUrl(c), found))),
)

const actions = {
  retry: {
    summary: 'Retry a delivery',
    description:
      'It is due now, and gets all its attempts again. Its place in the order of the object stays the first.',
    refused: 'has been delivered',
  },
  cancel: {
    summary: 'Cancel a delivery',
    description: 'It is not sent again. An attempt that is under way may still arrive.',
    refused: 'has ended',
  },
} as const

const actionRoute = (action: keyof typeof actions): Route => {
  const { summary, description, refused } = actions[action]
  return route(
    {
      method: 'post',
      path: `${deliveriesPath}{id}/${action}/`,
      tags,
      operationId: `plugins_pbs_deliveries_${action}`,
      summary,
      description,
      parameters: [idParameter],
      responses: {
        ...errorResponses,
        200: response('The delivery as it is now', ref('DeliveryDetail')),
        ...bodyErrors,
        400: response('The delivery has ended, or the body is not empty', {
          anyOf: [ref('FieldErrors'), ref('Detail')],
        }),
        ...notFoundResponse,
      },
    },
    (c) =>
      Effect.gen(function* () {
        const { id } = yield* findDelivery(c)
        yield* Effect.flatMap(readBody(c), readNothing)
        const decided = yield* (yield* Deliveries)[action]({ id, actor: actorOf(c) })
        if (Option.isNone(decided)) return yield* badRequest(`Delivery ${id} ${refused}.`)
        return c.json(servedDeliveryDetail(baseUrl(c), decided.value))
      }),
  )
}

/** The requests that webhooks are sent: read, retry, cancel them. */
export const deliveryPaths: ReadonlyArray<Path> = [
  { routes: [listRoute] },
  { routes: [detailRoute] },
  { routes: [actionRoute('retry')], writers: 'operator' },
  { routes: [actionRoute('cancel')], writers: 'operator' },
]
