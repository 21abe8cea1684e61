import type { FieldErrors, Role } from '@netbox-pbs/core'
import { Effect, Option } from 'effect'
import { pathId } from '../inventory/find-row.ts'
import {
  bodyErrors,
  errorResponses,
  idParameter,
  ifMatchParameter,
  json,
  notFoundResponse,
  ref,
  response,
  versionErrors,
} from '../openapi/responses.ts'
import type { ApiContext } from '../rest/caller.ts'
import { checkVersion, etag, expectedVersions } from '../rest/etag.ts'
import { invalid, notFound } from '../rest/http-error.ts'
import { baseUrl } from '../rest/links.ts'
import { readBody } from '../rest/read-body.ts'
import { type Handler, type HandlerError, type Path, type Route, route } from '../rest/route.ts'
import type { ApiServices } from '../services.ts'
import { hasErrors, validateRemoval, type WriteMode } from '../validation/validate-item.ts'

type Served<A> = Effect.Effect<A, HandlerError, ApiServices>

/** A record that users write, and that has a version. */
interface Writable {
  readonly id: number
  readonly last_updated: string
}

/** Records that users list, make, change and delete one at a time, as `A`. */
interface WritableRecords<A extends Writable> {
  readonly path: string
  readonly tags: ReadonlyArray<string>
  /** Begins the names of the operations: `extras_webhooks`. */
  readonly operation: string
  /** What they are called, in a sentence and in NetBox's 404. */
  readonly noun: string
  readonly label: string
  /** Their schemas in the document; the request's ends in `Request`. */
  readonly schema: string
  readonly list: Route
  /** The role that writing them needs; left out: admin. */
  readonly writers?: Role
  /** Users who see some servers see those of these. */
  readonly byServer?: true
  /** The description of a field for `OPTIONS`. */
  readonly describe: () => object
  readonly get: (id: number) => Served<Option.Option<A>>
  /** Makes one of a body. */
  readonly create: (c: ApiContext, body: unknown) => Served<A>
  /** Changes one as a body says; none: it has gone. */
  readonly update: (
    c: ApiContext,
    change: { readonly before: A; readonly body: unknown; readonly mode: WriteMode },
  ) => Served<Option.Option<A>>
  /** False: it has gone. */
  readonly remove: (c: ApiContext, removal: { readonly before: A; readonly message: string }) => Served<boolean>
  readonly serve: (record: A, base: string) => object
}

/** The operations of such records: their list, and each of them. */
export function recordPaths<A extends Writable>(records: WritableRecords<A>): ReadonlyArray<Path> {
  const { path, tags, operation, noun, label, schema } = records
  const none = notFound(`No ${label} matches the given query.`)
  const find = (c: ApiContext): Served<A> =>
    Effect.flatMap(pathId(c), (id) =>
      Effect.flatMap(records.get(id), Option.match({ onNone: () => none, onSome: Effect.succeed })),
    )
  const respond = (c: ApiContext, record: A, status: 200 | 201) => {
    const base = baseUrl(c)
    const made = status === 201 ? { Location: `${base}${path}${record.id}/` } : {}
    return c.json(records.serve(record, base), status, { ETag: etag(record), ...made })
  }
  const about = { path: `${path}{id}/`, tags: [...tags], parameters: [idParameter] }
  const requestBody = { content: json(ref(`${schema}Request`)) }

  const create = route(
    {
      method: 'post',
      path,
      tags: [...tags],
      operationId: `${operation}_create`,
      summary: `Create ${noun}`,
      description: 'One object at a time.',
      requestBody,
      responses: { ...errorResponses, 201: response('It was made', ref(schema)), ...bodyErrors },
    },
    (c) =>
      Effect.gen(function* () {
        const body = yield* readBody(c)
        if (Array.isArray(body)) return yield* invalid(oneAtATime)
        return respond(c, yield* records.create(c, body), 201)
      }),
  )

  const retrieve = route(
    {
      ...about,
      method: 'get',
      operationId: `${operation}_retrieve`,
      summary: `Get ${noun}`,
      description: 'By its id.',
      responses: { ...errorResponses, 200: response('The object', ref(schema)), ...notFoundResponse },
    },
    (c) => Effect.map(find(c), (record) => respond(c, record, 200)),
  )

  const change =
    (mode: WriteMode): Handler =>
    (c) =>
      Effect.gen(function* () {
        const before = yield* find(c)
        yield* checkVersion(before, expectedVersions(c))
        const changed = yield* records.update(c, { before, body: yield* readBody(c), mode })
        return Option.isSome(changed) ? respond(c, changed.value, 200) : yield* none
      })

  const write = (method: 'put' | 'patch', name: string, mode: WriteMode, description: string): Route =>
    route(
      {
        ...about,
        method,
        operationId: `${operation}_${name}`,
        summary: `Change ${noun}`,
        description,
        parameters: [idParameter, ifMatchParameter],
        requestBody,
        responses: {
          ...errorResponses,
          200: response('The object as it is now', ref(schema)),
          ...bodyErrors,
          ...notFoundResponse,
          ...versionErrors,
        },
      },
      change(mode),
    )

  const remove = route(
    {
      ...about,
      method: 'delete',
      operationId: `${operation}_destroy`,
      summary: `Delete ${noun}`,
      description: 'It is gone at once.',
      parameters: [idParameter, ifMatchParameter],
      responses: {
        ...errorResponses,
        204: { description: 'It is gone' },
        ...bodyErrors,
        ...notFoundResponse,
        ...versionErrors,
      },
    },
    (c) =>
      Effect.gen(function* () {
        const before = yield* find(c)
        yield* checkVersion(before, expectedVersions(c))
        const { message, errors } = validateRemoval(yield* readBody(c))
        if (hasErrors(errors)) return yield* invalid(errors)
        return (yield* records.remove(c, { before, message })) ? c.body(null, 204) : yield* none
      }),
  )

  const describe = (kind: 'List' | 'Instance') => () =>
    Effect.succeed({
      name: `${label.replace(/(?<=[a-z])(?=[A-Z])/g, ' ')} ${kind}`,
      description: '',
      renders: ['application/json'],
      parses: ['application/json'],
      actions: { [kind === 'List' ? 'POST' : 'PUT']: records.describe() },
    })
  const { writers = 'admin', byServer } = records
  const rights = { writers, ...(byServer === undefined ? {} : { byServer }) }
  return [
    { ...rights, describe: describe('List'), routes: [records.list, create] },
    {
      ...rights,
      describe: describe('Instance'),
      routes: [
        retrieve,
        write('put', 'update', 'whole', 'Required fields must be there; others that are left out stay.'),
        write('patch', 'partial_update', 'partial', 'Fields that are left out stay.'),
        remove,
      ],
    },
  ]
}

const oneAtATime: FieldErrors = { __all__: ['Send one object at a time: a list is not offered here.'] }
