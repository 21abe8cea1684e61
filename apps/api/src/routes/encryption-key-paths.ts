import { EncryptionKeys } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { pathId } from '../inventory/find-row.ts'
import { bodyErrors, errorResponses, idParameter, json, notFoundResponse, ref, response } from '../openapi/responses.ts'
import { EncryptionKeyChange, keyFilter, servedKey } from '../records/encryption-key.ts'
import { type ApiContext, actorSaying } from '../rest/caller.ts'
import { pageOf } from '../rest/envelope.ts'
import { invalid, notFound } from '../rest/http-error.ts'
import { baseUrl, keysPath } from '../rest/links.ts'
import { readBody } from '../rest/read-body.ts'
import { type Path, type Route, route } from '../rest/route.ts'
import { readRecord } from '../validation/read-record.ts'
import { recordList } from './record-list.ts'
import { definedOnly } from './webhook-paths.ts'

const tags = ['plugins']

const listRoute = recordList({
  path: keysPath,
  operationId: 'plugins_pbs_keys_list',
  tags,
  description: 'The keys of clients that encrypted snapshots need, with what they open',
  schema: 'EncryptionKeyList',
  filter: keyFilter,
  brief: ['fingerprint'],
  read: ({ search, ...query }) =>
    Effect.flatMap(EncryptionKeys, (keys) =>
      keys.list({ filter: { ...query, ...(search === undefined ? {} : { search }) }, ...pageOf(query) }),
    ),
  cursor: { idOf: ({ id }) => id, ordered: false },
  serve: (key, base) => servedKey(base, key),
})

const none = notFound('No EncryptionKey matches the given query.')

const findKey = (c: ApiContext) =>
  Effect.gen(function* () {
    const found = yield* (yield* EncryptionKeys).get({ id: yield* pathId(c) })
    return Option.isSome(found) ? found.value : yield* none
  })

const detailRoute: Route = route(
  {
    method: 'get',
    path: `${keysPath}{id}/`,
    tags,
    operationId: 'plugins_pbs_keys_retrieve',
    summary: 'Get a key',
    description: 'The key of a client by its fingerprint, with what it opens and what operators noted of it.',
    parameters: [idParameter],
    responses: { ...errorResponses, 200: response('The key', ref('EncryptionKey')), ...notFoundResponse },
  },
  (c) => Effect.map(findKey(c), (found) => c.json(servedKey(baseUrl(c), found))),
)

const changeRoute: Route = route(
  {
    method: 'patch',
    path: `${keysPath}{id}/`,
    tags,
    operationId: 'plugins_pbs_keys_partial_update',
    summary: 'Note who holds a key',
    description:
      'Who holds the key, where it is kept, when an operator made sure of it, and a comment. Everything else follows from the snapshots.',
    parameters: [idParameter],
    requestBody: { content: json(ref('EncryptionKeyChange')) },
    responses: {
      ...errorResponses,
      200: response('The key as it is now', ref('EncryptionKey')),
      ...bodyErrors,
      ...notFoundResponse,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const { id } = yield* findKey(c)
      const read = readRecord({ schema: EncryptionKeyChange, required: [], unbuilt: {} }, yield* readBody(c), 'partial')
      if (read._tag === 'rejected') return yield* invalid(read.errors)
      const change = definedOnly(read.values)
      const changed = yield* (yield* EncryptionKeys).note({ id, change, actor: actorSaying(c, read.message) })
      return Option.isSome(changed) ? c.json(servedKey(baseUrl(c), changed.value)) : yield* none
    }),
)

/** The keys of clients: read them, and note who holds them. */
export const encryptionKeyPaths: ReadonlyArray<Path> = [
  { byServer: true, routes: [listRoute] },
  { byServer: true, writers: 'operator', routes: [detailRoute, changeRoute] },
]
