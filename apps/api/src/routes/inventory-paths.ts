import { type ModelName, type Presentation, parseListQuery, parsePresentation, registry } from '@netbox-pbs/core'
import { InventoryLists, type WritableModel } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type BulkTarget, bulkError, bulkTargets, maxObjects, tooManyObjects } from '../inventory/bulk-targets.ts'
import { createRows } from '../inventory/create-rows.ts'
import { describeModel } from '../inventory/describe-model.ts'
import { findById, findRow, resolveList, rowsByIds } from '../inventory/find-row.ts'
import { removeRow, updateRow } from '../inventory/update-row.ts'
import { describeOperation } from '../openapi/model-operations.ts'
import { placeOf } from '../rest/branch-place.ts'
import { type ApiContext, actorOf } from '../rest/caller.ts'
import { envelope, nameIgnored } from '../rest/envelope.ts'
import { checkVersion, etag, expectedVersions } from '../rest/etag.ts'
import { badRequest, type HttpError, invalid } from '../rest/http-error.ts'
import { baseUrl, listPath, rowUrl } from '../rest/links.ts'
import { readBody } from '../rest/read-body.ts'
import { type Handler, type Path, type Route, route } from '../rest/route.ts'
import { anyRow, type Row, serveRow } from '../rest/row.ts'
import { nameMissingPrivileges } from '../servers/not-usable.ts'
import { hasSecret, secretInBulk } from '../servers/read-secret.ts'
import { unbuiltFields } from '../validation/unbuilt-fields.ts'
import { isDictionary, type WriteMode } from '../validation/validate-item.ts'

/** The operations of a model: its list and its rows, with the writes that the registry allows. */
export function inventoryPaths(model: ModelName): ReadonlyArray<Path> {
  const writable = writableModel(model)
  const branch = placeOf(model)
  return [
    {
      branch,
      routes: [listRoute(model), ...(writable === null ? [] : [createRoute(writable), ...bulkRoutes(writable)])],
      describe: () => describeModel(model, 'List'),
    },
    {
      branch,
      routes: [detailRoute(model), ...(writable === null ? [] : writeRoutes(writable))],
      describe: () => describeModel(model, 'Instance'),
    },
  ]
}

const listRoute = (model: ModelName): Route =>
  route(describeOperation(model, 'get', 'list'), (c) =>
    Effect.gen(function* () {
      const params = new URL(c.req.url).searchParams
      const request = parseListQuery(model, params)
      const query = yield* resolveList(request)
      const lists = yield* InventoryLists
      const { count, rows } = yield* lists.list(query)
      const base = baseUrl(c)
      const results = rows.map((row) => serveRow(model, anyRow(row), { base, presentation: request.presentation }))
      nameIgnored(c, request.ignored)
      const lastId = rows.at(-1)?.id ?? null
      return c.json(envelope({ page: query.page, count, results, lastId, url: `${base}${listPath(model)}`, params }))
    }),
  )

const createRoute = (model: WritableModel): Route =>
  route(describeOperation(model, 'post', 'list'), (c) =>
    Effect.flatMap(readBody(c), (body) =>
      Array.isArray(body) ? createMany(model, body)(c) : createOne(model, body)(c),
    ),
  )

const createOne =
  (model: WritableModel, body: unknown): Handler =>
  (c) =>
    Effect.gen(function* () {
      if (body === null) return yield* invalid({ __all__: ['No data provided'] })
      const created = yield* createRows(model, [body], { actor: actorOf(c), branch: c.get('branch') })
      if (created._tag === 'rejected') return yield* invalid(created.errors[0]?.errors ?? {})
      nameMissingPrivileges(c, created.test)
      return respondWithRow(c, model, yield* findById(model, created.ids[0] ?? 0), 201)
    })

const createMany =
  (model: WritableModel, bodies: ReadonlyArray<unknown>): Handler =>
  (c) =>
    Effect.gen(function* () {
      if (bodies.length > maxObjects) return yield* tooManyObjects
      const created = yield* createRows(model, bodies, { actor: actorOf(c), branch: c.get('branch'), bulk: true })
      if (created._tag === 'rejected') return yield* bulkError('could not be created', bodies.length, created.errors)
      const rows = yield* rowsByIds(model, created.ids)
      return c.json(
        rows.map((row) => serveRow(model, row, { base: baseUrl(c), presentation: writePresentation(c) })),
        201,
      )
    })

const bulkRoutes = (model: WritableModel): ReadonlyArray<Route> => [
  route(describeOperation(model, 'put', 'list'), changeMany(model, 'whole')),
  route(describeOperation(model, 'patch', 'list'), changeMany(model, 'partial')),
  route(describeOperation(model, 'delete', 'list'), (c) =>
    Effect.gen(function* () {
      const targets = yield* Effect.flatMap(readBody(c), (body) => bulkTargets(model, body))
      yield* atMostOne(targets)
      for (const { id, input } of targets) {
        const errors = unbuiltFields(input)
        if (Object.keys(errors).length > 0) return yield* bulkError('failed validation', 1, [{ index: 0, errors }])
        const row = yield* findById(model, id)
        yield* removeRow(model, { row, actor: actorOf(c), branch: c.get('branch') })
      }
      return c.body(null, 204)
    }),
  ),
]

const changeMany =
  (model: WritableModel, mode: WriteMode): Handler =>
  (c) =>
    Effect.gen(function* () {
      const targets = yield* Effect.flatMap(readBody(c), (body) => bulkTargets(model, body))
      if (c.get('branch') === null) yield* noSecrets(model, targets)
      yield* atMostOne(targets)
      for (const { id, input } of targets) {
        const row = yield* findById(model, id)
        yield* updateRow(model, { row, input, mode, actor: actorOf(c), branch: c.get('branch') }).pipe(
          Effect.catchTag('ValidationFailed', ({ errors }) => bulkError('could not be updated', 1, [{ id, errors }])),
        )
      }
      const rows = yield* rowsByIds(
        model,
        targets.map(({ id }) => id),
      )
      return c.json(rows.map((row) => serveRow(model, row, { base: baseUrl(c), presentation: writePresentation(c) })))
    })

/** A secret is for a single server: a list could not be undone at the gateway. */
function noSecrets(model: WritableModel, targets: ReadonlyArray<BulkTarget>): Effect.Effect<void, HttpError> {
  const withSecret = targets.filter(({ input }) => model === 'server' && hasSecret(input))
  if (withSecret.length === 0) return Effect.void
  const errors = withSecret.map(({ id }) => ({ id, errors: secretInBulk }))
  return bulkError('could not be updated', targets.length, errors)
}

/** A list is written as a whole or not at all, and so far only one row is written at a time. */
const atMostOne = (targets: ReadonlyArray<unknown>): Effect.Effect<void, HttpError> =>
  targets.length > 1
    ? badRequest('Changing more than one object in a request is not offered yet; send a request for each.')
    : Effect.void

const detailRoute = (model: ModelName): Route =>
  route(describeOperation(model, 'get', 'detail'), (c) =>
    Effect.map(findRow(model, c), (row) =>
      respondWithRow(c, model, row, 200, parsePresentation(new URL(c.req.url).searchParams)),
    ),
  )

const writeRoutes = (model: WritableModel): ReadonlyArray<Route> => [
  route(describeOperation(model, 'put', 'detail'), changeRow(model, 'whole')),
  route(describeOperation(model, 'patch', 'detail'), changeRow(model, 'partial')),
  route(describeOperation(model, 'delete', 'detail'), (c) =>
    Effect.gen(function* () {
      const row = yield* findRow(model, c)
      const versions = expectedVersions(c)
      yield* checkVersion(row, versions)
      const body = yield* readBody(c)
      const errors = isDictionary(body) ? unbuiltFields(body) : {}
      if (Object.keys(errors).length > 0) return yield* invalid(errors)
      yield* removeRow(model, { row, versions, actor: actorOf(c), branch: c.get('branch') })
      return c.body(null, 204)
    }),
  ),
]

const changeRow =
  (model: WritableModel, mode: WriteMode): Handler =>
  (c) =>
    Effect.gen(function* () {
      const row = yield* findRow(model, c)
      const versions = expectedVersions(c)
      yield* checkVersion(row, versions)
      const input = yield* readBody(c)
      const actor = actorOf(c)
      nameMissingPrivileges(c, yield* updateRow(model, { row, versions, input, mode, actor, branch: c.get('branch') }))
      return respondWithRow(c, model, yield* findById(model, row.id), 200)
    })

/** Answers one row, with its ETag; a new one also with its address. */
export function respondWithRow(
  c: ApiContext,
  model: ModelName,
  row: Row,
  status: 200 | 201,
  presentation = writePresentation(c),
) {
  const base = baseUrl(c)
  return c.json(serveRow(model, row, { base, presentation }), status, {
    ETag: etag(row),
    ...(status === 201 ? { Location: rowUrl(base, model, row.id) } : {}),
  })
}

/** After a write `brief` does not count. */
const writePresentation = (c: ApiContext): Presentation => ({
  ...parsePresentation(new URL(c.req.url).searchParams),
  brief: false,
})

function writableModel(model: ModelName): WritableModel | null {
  return registry[model].writable && model !== 'namespace' && model !== 'group' && model !== 'task' ? model : null
}
