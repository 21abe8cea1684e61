import type { FieldErrors } from '@netbox-pbs/core'
import type { HandValues } from '@netbox-pbs/core/ports'
import { testServer } from '@netbox-pbs/sync'
import { Effect } from 'effect'
import type { Path } from '../http/mount-routes.ts'
import { readBody } from '../http/read-body.ts'
import { invalid } from '../http/refused.ts'
import { type Route, route } from '../http/route.ts'
import { findRow } from '../inventory/find-row.ts'
import { listPath } from '../inventory/links.ts'
import { knownServers } from '../inventory/resolve-list.ts'
import type { Row } from '../inventory/row.ts'
import { bodyRefusals, idParameter, json, notThere, ref, refusals, reply } from '../openapi/replies.ts'
import { connectionOf, readSecret } from '../servers/read-secret.ts'
import { unknownKeys } from '../validation/unbuilt-fields.ts'
import { isDictionary, validateItem, writableFields } from '../validation/validate-item.ts'

const testRoute: Route = route(
  {
    method: 'post',
    path: `${listPath('server')}{id}/test/`,
    tags: ['plugins'],
    operationId: 'plugins_pbs_servers_test',
    parameters: [idParameter],
    requestBody: { content: json(ref('ServerTestRequest')) },
    responses: {
      200: reply('How the server answered', ref('EndpointTest')),
      502: reply('The gateway does not answer', ref('Detail')),
      ...bodyRefusals,
      ...notThere,
      ...refusals,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const row = yield* findRow('server', c)
      const input = yield* readBody(c)
      const { values, errors } = validateItem('server', input, yield* knownServers({ names: [], ids: [] }), 'partial')
      const secret = readSecret(input, { ...connectionOf(row), ...values })
      const all = {
        ...(secret?._tag === 'refused' ? secret.errors : {}),
        ...(secret === null && Object.keys(changedConnection(row, values)).length > 0 ? notStored : {}),
        ...errors,
        ...(isDictionary(input) ? unknownKeys(input, testedKeys) : {}),
      }
      if (Object.keys(all).length > 0) return yield* invalid(all)
      return c.json(yield* testServer(secret?._tag === 'secret' ? secret.endpoint : { id: row.id }))
    }),
)

/** What the body of a test may hold: the fields of a server, and the secret. */
const testedKeys = [...writableFields('server').map(([name]) => name), 'token_secret']

/** What of the connection differs from the stored one. */
const changedConnection = (row: Row, values: HandValues): HandValues =>
  Object.fromEntries(Object.entries(connectionOf(values)).filter(([name, value]) => row[name] !== value))

const notStored: FieldErrors = {
  token_secret: ['Send the secret of the token too: the stored one is tried with the stored connection only.'],
}

/** What servers do beside being rows: tell whether they can be reached, as stored, or with a secret that comes along and is not kept. */
export const serverPaths: ReadonlyArray<Path> = [{ routes: [testRoute] }]
