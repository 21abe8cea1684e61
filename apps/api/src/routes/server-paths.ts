import type { FieldErrors } from '@netbox-pbs/core'
import { type EditValues, RequestCosts } from '@netbox-pbs/core/ports'
import { testServer } from '@netbox-pbs/sync'
import { Effect } from 'effect'
import { findRow, foundServers } from '../inventory/find-row.ts'
import { bodyErrors, errorResponses, idParameter, json, notFoundResponse, ref, response } from '../openapi/responses.ts'
import { ServerCost, servedDay } from '../records/request-cost.ts'
import { actorOf } from '../rest/caller.ts'
import { invalid } from '../rest/http-error.ts'
import { listPath } from '../rest/links.ts'
import { readBody } from '../rest/read-body.ts'
import { recordFilter } from '../rest/read-filter.ts'
import { type Path, type Route, route } from '../rest/route.ts'
import type { Row } from '../rest/row.ts'
import { connectionOf, readSecret } from '../servers/read-secret.ts'
import { unknownKeys } from '../validation/unknown-keys.ts'
import { isDictionary, validateItem, writableFields } from '../validation/validate-item.ts'
import { recordListOf } from './record-list.ts'

const testRoute: Route = route(
  {
    method: 'post',
    path: `${listPath('server')}{id}/test/`,
    tags: ['plugins'],
    operationId: 'plugins_pbs_servers_test',
    summary: 'Test the connection of a server',
    description:
      'Without a secret, tests the stored connection and updates the health of the server. With a secret, tests the connection in the body and stores nothing.',
    parameters: [idParameter],
    requestBody: { content: json(ref('ServerTestRequest')) },
    responses: {
      ...errorResponses,
      200: response('The result of the test', ref('EndpointTest')),
      502: response('The gateway does not answer', ref('Detail')),
      ...bodyErrors,
      ...notFoundResponse,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const row = yield* findRow('server', c)
      const input = yield* readBody(c)
      const { values, errors } = validateItem('server', input, yield* foundServers([]), 'partial')
      const secret = readSecret(input, { ...connectionOf(row), ...values })
      const all = {
        ...(secret?._tag === 'rejected' ? secret.errors : {}),
        ...(secret === null && Object.keys(changedConnection(row, values)).length > 0 ? notStored : {}),
        ...errors,
        ...(isDictionary(input) ? unknownKeys(input, testedKeys) : {}),
      }
      if (Object.keys(all).length > 0) return yield* invalid(all)
      const stored = { id: row.id, actor: actorOf(c) }
      return c.json(yield* testServer(secret?._tag === 'secret' ? secret.endpoint : stored))
    }),
)

const testNewRoute: Route = route(
  {
    method: 'post',
    path: `${listPath('server')}test/`,
    tags: ['plugins'],
    operationId: 'plugins_pbs_servers_test_new',
    summary: 'Test a connection before it is stored',
    description: 'Takes the body of a new server, and stores nothing.',
    requestBody: { content: json(ref('ServerRequest')) },
    responses: {
      ...errorResponses,
      200: response('The result of the test; nothing is stored', ref('EndpointTest')),
      502: response('The gateway does not answer', ref('Detail')),
      ...bodyErrors,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const input = yield* readBody(c)
      const { values, errors } = validateItem('server', input, yield* foundServers([]), 'whole')
      const secret = readSecret(input, values)
      if (secret === null) return yield* invalid({ ...errors, token_secret: ['This field is required.'] })
      const all = {
        ...(secret._tag === 'rejected' ? secret.errors : {}),
        ...errors,
        ...(isDictionary(input) ? unknownKeys(input, testedKeys) : {}),
      }
      if (secret._tag === 'rejected' || Object.keys(all).length > 0) return yield* invalid(all)
      return c.json(yield* testServer(secret.endpoint))
    }),
)

/** The fields of a test's body: those of a write, so that the same body can be tested and sent. */
const testedKeys = [...writableFields('server').map(([name]) => name), 'token_secret', 'untested']

/** The fields of the connection that differ from the stored ones. */
const changedConnection = (row: Row, values: EditValues): EditValues =>
  Object.fromEntries(Object.entries(connectionOf(values)).filter(([name, value]) => row[name] !== value))

const notStored: FieldErrors = {
  token_secret: ['Send the secret of the token too: the stored one is tried with the stored connection only.'],
}

const costsRoute = recordListOf({
  path: `${listPath('server')}{id}/costs/`,
  operationId: 'plugins_pbs_servers_costs_list',
  description: 'What the server was asked on each day, newest first',
  schema: 'ServerCostList',
  branched: true,
  filter: recordFilter(ServerCost),
  owner: (c) => findRow('server', c),
  read: ({ id }, page) => Effect.flatMap(RequestCosts, (costs) => costs.days({ serverId: id, ...page })),
  serve: servedDay,
})

/** Connection tests of servers, stored or new, and what servers were asked. They are mounted before the row routes, because `test` is not an id. */
export const serverPaths: ReadonlyArray<Path> = [
  { routes: [testNewRoute] },
  { routes: [testRoute] },
  { branch: 'branch', byServer: true, routes: [costsRoute] },
]
