import type { FieldErrors, Role } from '@netbox-pbs/core'
import type { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { bulkError, bulkObjects, objectsNotFound } from '../inventory/bulk-targets.ts'
import { pathId } from '../inventory/find-row.ts'
import { bodyErrors, errorResponses, idParameter, json, notFoundResponse, ref, response } from '../openapi/responses.ts'
import type { ApiContext } from '../rest/caller.ts'
import { badRequest, type HttpError, invalid, notFound } from '../rest/http-error.ts'
import { baseUrl } from '../rest/links.ts'
import { readBody } from '../rest/read-body.ts'
import { type Handler, type HandlerError, type Path, type Route, route } from '../rest/route.ts'
import type { ApiServices } from '../services.ts'

type Served<A> = Effect.Effect<A, HandlerError, ApiServices>

/** What becomes of the objects of a body: all are written, or none and each one that prevents it has its errors. */
export type Written =
  | { readonly _tag: 'written'; readonly records: ReadonlyArray<{ readonly id: number }> }
  | {
      readonly _tag: 'rejected'
      readonly errors: ReadonlyArray<{ readonly at: number; readonly errors: FieldErrors }>
    }

/** A body for the record of an id. */
export interface RecordTarget {
  readonly id: number
  readonly input: unknown
}

/** Records that are no inventory rows and that REST writes: their addresses, their schemas, and their use cases. */
interface WrittenRecords {
  readonly path: string
  readonly tags: ReadonlyArray<string>
  /** The start of each operation's id, like `users_tokens`. */
  readonly operations: string
  /** NetBox's name of one of them, and of many in a sentence. */
  readonly label: string
  readonly labelPlural: string
  /** Their schemas in the document: a record, one as it is created, and the bodies. */
  readonly schemas: {
    readonly record: string
    readonly created: string
    readonly request: string
    readonly change: string
    readonly changeOfMany: string
  }
  /** The role that writing them needs; left out: admin. */
  readonly writers?: Role
  /** Objects of one body; left out: 1000. */
  readonly most?: number
  /** Of these ids the records that the caller may see, as REST answers them. */
  readonly find: (
    c: ApiContext,
    ids: ReadonlyArray<number>,
  ) => Effect.Effect<ReadonlyArray<{ readonly id: number }>, StoreFailed, ApiServices>
  readonly create: (c: ApiContext, bodies: ReadonlyArray<unknown>) => Served<Written>
  readonly change: (c: ApiContext, targets: ReadonlyArray<RecordTarget>) => Served<Written>
  readonly remove: (c: ApiContext, ids: ReadonlyArray<number>) => Served<unknown>
}

const usualMost = 1000

/**
 * The paths of records: their list, which is given, and the operations that create, read, change and
 * delete them, one at a time on their own path and many at once on that of the list.
 */
export function recordPaths(list: Route, records: WrittenRecords): ReadonlyArray<Path> {
  const { writers = 'admin' } = records
  return [
    { writers, byServer: true, routes: [list, createRoute(records), ...bulkRoutes(records)] },
    { writers, byServer: true, routes: detailRoutes(records) },
  ]
}

const arrayOf = (schema: object, most = usualMost) => ({ type: 'array' as const, items: schema, maxItems: most })

const bulkErrors = {
  ...bodyErrors,
  400: response('The errors of each object or field', {
    anyOf: [ref('FieldErrors'), ref('ObjectErrors'), ref('Detail')],
  }),
}

function createRoute({ path, tags, operations, labelPlural, schemas, create, most }: WrittenRecords): Route {
  const one = ref(schemas.request)
  return route(
    {
      method: 'post',
      path,
      tags: [...tags],
      operationId: `${operations}_create`,
      summary: `Create ${labelPlural}`,
      description: 'Takes an object or a list of objects: all are created or none.',
      requestBody: { content: json({ oneOf: [one, arrayOf(one, most)] }) },
      responses: {
        ...errorResponses,
        201: response('Created', { oneOf: [ref(schemas.created), arrayOf(ref(schemas.created), most)] }),
        ...bulkErrors,
      },
    },
    (c) =>
      Effect.gen(function* () {
        const body = yield* readBody(c)
        yield* atMost(body, most)
        const written = yield* create(c, Array.isArray(body) ? body : [body])
        if (written._tag === 'rejected') {
          if (!Array.isArray(body)) return yield* invalid(written.errors[0]?.errors ?? {})
          return yield* bulkError('could not be created', body.length, byIndex(written.errors))
        }
        if (Array.isArray(body)) return c.json(written.records, 201)
        const [record] = written.records
        return c.json(record ?? {}, 201, { Location: `${baseUrl(c)}${path}${record?.id}/` })
      }),
  )
}

function bulkRoutes(records: WrittenRecords): ReadonlyArray<Route> {
  const { path, tags, operations, labelPlural, schemas, most } = records
  const about = { path, tags: [...tags] }
  const changes = (method: 'put' | 'patch') =>
    route(
      {
        ...about,
        method,
        operationId: `${operations}_bulk_${verbs[method]}`,
        summary: `Change ${labelPlural}`,
        description: 'All are changed or none. Fields that are left out stay, also with PUT.',
        requestBody: { content: json(arrayOf(ref(schemas.changeOfMany), most)) },
        responses: { ...errorResponses, 200: response('Changed', arrayOf(ref(schemas.record), most)), ...bulkErrors },
      },
      changeMany(records),
    )
  return [
    changes('put'),
    changes('patch'),
    route(
      {
        ...about,
        method: 'delete',
        operationId: `${operations}_bulk_destroy`,
        summary: `Delete ${labelPlural}`,
        description: 'All are deleted or none.',
        requestBody: {
          content: json(arrayOf({ type: 'object', required: ['id'], properties: { id: { type: 'integer' } } }, most)),
        },
        responses: { ...errorResponses, 204: { description: 'Deleted' }, ...bulkErrors },
      },
      (c) =>
        Effect.gen(function* () {
          const targets = yield* targetsOf(records, c, 'keep the last')
          yield* records.remove(
            c,
            targets.map(({ id }) => id),
          )
          return c.body(null, 204)
        }),
    ),
  ]
}

const changeMany =
  (records: WrittenRecords): Handler =>
  (c) =>
    Effect.gen(function* () {
      const targets = yield* targetsOf(records, c, 'refuse')
      const written = yield* records.change(c, targets)
      if (written._tag === 'written') return c.json(written.records)
      const errors = written.errors.map((failed) => ({ id: targets[failed.at]?.id ?? 0, errors: failed.errors }))
      return yield* bulkError('could not be updated', targets.length, errors)
    })

const targetsOf = (records: WrittenRecords, c: ApiContext, repeated: Parameters<typeof bulkObjects>[1]) =>
  Effect.gen(function* () {
    const body = yield* readBody(c)
    yield* atMost(body, records.most)
    const objects = yield* bulkObjects(body, repeated)
    const ids = objects.map(({ id }) => id)
    const found = new Set(ids.length === 0 ? [] : (yield* records.find(c, ids)).map(({ id }) => id))
    const missing = ids.filter((id) => !found.has(id))
    return missing.length === 0 ? objects : yield* objectsNotFound(missing, objects.length)
  })

function detailRoutes(records: WrittenRecords): ReadonlyArray<Route> {
  const { tags, operations, label, schemas } = records
  const about = { path: `${records.path}{id}/`, tags: [...tags], parameters: [idParameter] }
  const one = label.toLowerCase()
  const changes = (method: 'put' | 'patch') =>
    route(
      {
        ...about,
        method,
        operationId: `${operations}_${verbs[method]}`,
        summary: `Change a ${one}`,
        description: 'Fields that are left out stay, also with PUT.',
        requestBody: { content: json(ref(schemas.change)) },
        responses: {
          ...errorResponses,
          200: response('Changed', ref(schemas.record)),
          ...bodyErrors,
          ...notFoundResponse,
        },
      },
      (c) =>
        Effect.gen(function* () {
          const { id } = yield* findOne(records, c)
          const input = yield* readBody(c)
          const written = yield* records.change(c, [{ id, input }])
          if (written._tag === 'rejected') return yield* invalid(written.errors[0]?.errors ?? {})
          return c.json(written.records[0] ?? {})
        }),
    )
  return [
    route(
      {
        ...about,
        method: 'get',
        operationId: `${operations}_retrieve`,
        summary: `Get a ${one}`,
        description: `One of the ${records.labelPlural}, without anything secret.`,
        responses: { ...errorResponses, 200: response(`The ${one}`, ref(schemas.record)), ...notFoundResponse },
      },
      (c) => Effect.map(findOne(records, c), (record) => c.json(record)),
    ),
    changes('put'),
    changes('patch'),
    route(
      {
        ...about,
        method: 'delete',
        operationId: `${operations}_destroy`,
        summary: `Delete a ${one}`,
        description: `Sessions that belong to it end with it.`,
        responses: { ...errorResponses, 204: { description: 'Deleted' }, ...notFoundResponse },
      },
      (c) =>
        Effect.gen(function* () {
          const { id } = yield* findOne(records, c)
          yield* records.remove(c, [id])
          return c.body(null, 204)
        }),
    ),
  ]
}

const verbs = { put: 'update', patch: 'partial_update' } as const

const findOne = (
  { find, label }: WrittenRecords,
  c: ApiContext,
): Effect.Effect<{ readonly id: number }, HttpError | StoreFailed, ApiServices> =>
  Effect.gen(function* () {
    const id = yield* pathId(c)
    const [found] = Number.isSafeInteger(id) ? yield* find(c, [id]) : []
    return found ?? (yield* notFound(`No ${label} matches the given query.`))
  })

const byIndex = (errors: Extract<Written, { _tag: 'rejected' }>['errors']) =>
  errors.map((failed) => ({ index: failed.at, errors: failed.errors }))

const atMost = (body: unknown, most = usualMost) =>
  Array.isArray(body) && body.length > most ? badRequest(`At most ${most} objects can be sent at once.`) : Effect.void
