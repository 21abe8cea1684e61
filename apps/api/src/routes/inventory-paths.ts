import {
  compareInModelOrder,
  type ModelName,
  needsDefinitions,
  noDefinitions,
  type Presentation,
  parseListQuery,
  parsePresentation,
  registry,
  rowServer,
} from '@netbox-pbs/core'
import { type EndpointTest, InventoryLists, type WritableModel } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { annotateRow } from '../inventory/annotate-row.ts'
import { attachedTo, listDefinitions } from '../inventory/attached.ts'
import { bulkError, bulkObjects, bulkTargets, tooManyObjects } from '../inventory/bulk-targets.ts'
import { createRows } from '../inventory/create-rows.ts'
import { describeModel } from '../inventory/describe-model.ts'
import { exportRows } from '../inventory/export-rows.ts'
import { findById, findRow, resolveList, rowsByIds } from '../inventory/find-row.ts'
import { removeRows } from '../inventory/remove-rows.ts'
import { removeRow, updateRow } from '../inventory/update-row.ts'
import { updateRows } from '../inventory/update-rows.ts'
import { describeOperation } from '../openapi/model-operations.ts'
import { placeOf } from '../rest/branch-place.ts'
import { type ApiContext, actorOf } from '../rest/caller.ts'
import { envelope, nameIgnored } from '../rest/envelope.ts'
import { checkVersion, etag, expectedVersions } from '../rest/etag.ts'
import { listParameters } from '../rest/export.ts'
import { invalid } from '../rest/http-error.ts'
import { baseUrl, listPath, rowUrl } from '../rest/links.ts'
import { maxObjects, readBody } from '../rest/read-body.ts'
import { recentOr } from '../rest/recent-answers.ts'
import { type Handler, type Path, type Route, route } from '../rest/route.ts'
import { anyRow, type Row } from '../rest/row.ts'
import { nameMissingPrivileges } from '../servers/not-usable.ts'
import { nameTwins } from '../servers/same-certificate.ts'
import { hasErrors, validateRemoval, type WriteMode } from '../validation/validate-item.ts'

/** The operations of a model: its list and its rows, with the writes that the registry allows. */
export function inventoryPaths(model: ModelName): ReadonlyArray<Path> {
  const writable = writableModel(model)
  const branch = placeOf(model)
  return [
    {
      branch,
      byServer: true,
      routes: [listRoute(model), ...(writable === null ? [] : [createRoute(writable), ...bulkRoutes(writable)])],
      describe: () => Effect.succeed(describeModel(model, { place: 'List', actions: true })),
    },
    {
      branch,
      byServer: true,
      routes: [detailRoute(model), ...(writable === null ? [annotateRoute(model)] : writeRoutes(writable))],
      describe: (c) => describeRow(model, c),
    },
  ]
}

/** As NetBox does: no actions for a row that is not there. */
const describeRow = (model: ModelName, c: ApiContext) =>
  findRow(model, c).pipe(
    Effect.as(true),
    Effect.catchTag('HttpError', () => Effect.succeed(false)),
    Effect.map((actions) => describeModel(model, { place: 'Instance', actions })),
  )

const listRoute = (model: ModelName): Route =>
  route(describeOperation(model, 'get', 'list'), (c) =>
    Effect.gen(function* () {
      const { format, params } = yield* listParameters(c)
      if (format !== null) {
        const { request, query } = yield* readList(model, params)
        nameIgnored(c, request.ignored)
        return yield* exportRows(c, model, { format, query, presentation: request.presentation })
      }
      const answer = listText(c, model, params)
      const { text, ignored } = yield* changesWithTime.has(model) ? answer : recentOr(keyOf(c), answer)
      nameIgnored(c, ignored)
      return c.body(text, 200, { 'Content-Type': 'application/json' })
    }),
  )

/** Models with fields that change by the clock, without a commit: the health of a job that is due, the protection of a group, days until a datastore is full. */
const changesWithTime: ReadonlySet<ModelName> = new Set(['datastore', 'group', 'job'])

/** What the answer about a list depends on, apart from what is stored: the address, the branch, and the servers that the user sees. */
const keyOf = (c: ApiContext): string => {
  const { pathname, search } = new URL(c.req.url)
  return JSON.stringify([baseUrl(c), pathname, search, c.get('branch')?.id ?? null, c.get('caller').servers])
}

/** The list that parameters ask for. */
const readList = (model: ModelName, params: URLSearchParams) =>
  Effect.gen(function* () {
    const request = parseListQuery(model, params, yield* listDefinitions(model, params))
    return { request, query: yield* resolveList(request) }
  })

/** A page of a list as JSON. */
const listText = (c: ApiContext, model: ModelName, params: URLSearchParams) =>
  Effect.gen(function* () {
    const { request, query } = yield* readList(model, params)
    const { count, rows } = yield* (yield* InventoryLists).list(query)
    const results = yield* serveRows(c, model, rows.map(anyRow), request.presentation)
    const lastId = rows.at(-1)?.id ?? null
    const url = `${baseUrl(c)}${listPath(model)}`
    return {
      text: JSON.stringify(envelope({ page: query.page, count, results, lastId, url, params })),
      ignored: request.ignored,
    }
  })

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
      const row = yield* findById(model, created.ids[0] ?? 0)
      yield* nameWarnings(c, model, row, created.test)
      return yield* respondWithRow(c, model, row, 201)
    })

const createMany =
  (model: WritableModel, bodies: ReadonlyArray<unknown>): Handler =>
  (c) =>
    Effect.gen(function* () {
      if (bodies.length > maxObjects) return yield* tooManyObjects
      const created = yield* createRows(model, bodies, { actor: actorOf(c), branch: c.get('branch'), bulk: true })
      if (created._tag === 'rejected') return yield* bulkError('could not be created', bodies.length, created.errors)
      const rows = yield* rowsByIds(model, created.ids)
      return c.json(yield* serveRows(c, model, rows), 201)
    })

const bulkRoutes = (model: WritableModel): ReadonlyArray<Route> => [
  route(describeOperation(model, 'put', 'list'), changeMany(model, 'whole')),
  route(describeOperation(model, 'patch', 'list'), changeMany(model, 'partial')),
  route(describeOperation(model, 'delete', 'list'), (c) =>
    Effect.gen(function* () {
      const objects = yield* bulkObjects(yield* readBody(c), 'keep the last')
      yield* removeRows(model, objects, { actor: actorOf(c), branch: c.get('branch') })
      return c.body(null, 204)
    }),
  ),
]

const changeMany =
  (model: WritableModel, mode: WriteMode): Handler =>
  (c) =>
    Effect.gen(function* () {
      const targets = yield* bulkTargets(model, yield* bulkObjects(yield* readBody(c), 'refuse'))
      yield* updateRows(model, targets, { mode, actor: actorOf(c), branch: c.get('branch') })
      const ids = targets.map(({ id }) => id)
      const rows = (yield* rowsByIds(model, ids)).toSorted(compareInModelOrder(model))
      return c.json(yield* serveRows(c, model, rows))
    })

const detailRoute = (model: ModelName): Route =>
  route(describeOperation(model, 'get', 'detail'), (c) =>
    Effect.flatMap(findRow(model, c), (row) =>
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
      const { message, errors } = validateRemoval(yield* readBody(c))
      if (hasErrors(errors)) return yield* invalid(errors)
      yield* removeRow(model, { row, versions, actor: { ...actorOf(c), message }, branch: c.get('branch') })
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
      const test = yield* updateRow(model, { row, versions, input, mode, actor, branch: c.get('branch') })
      const changed = yield* findById(model, row.id)
      yield* nameWarnings(c, model, changed, test)
      return yield* respondWithRow(c, model, changed, 200)
    })

/**
 * Names in headers what a write of a server has shown: privileges that its token lacks, and other
 * servers with its certificate, which without a pin is the one that its test was shown.
 */
const nameWarnings = (c: ApiContext, model: ModelName, { id, fingerprint }: Row, test: EndpointTest | null) => {
  nameMissingPrivileges(c, test)
  if (model !== 'server') return Effect.void
  return nameTwins(c, { id, fingerprint: String(fingerprint || (test?.presented_fingerprint ?? '')) })
}

/**
 * Changes tags and custom fields of a row that is otherwise only read; other fields are ignored, as
 * NetBox ignores them.
 */
const annotateRoute = (model: ModelName): Route =>
  route(describeOperation(model, 'patch', 'detail'), (c) =>
    Effect.gen(function* () {
      const row = yield* findRow(model, c)
      const versions = expectedVersions(c)
      yield* checkVersion(row, versions)
      const input = yield* readBody(c)
      yield* annotateRow(model, { row, versions, input, actor: actorOf(c), branch: c.get('branch') })
      return yield* respondWithRow(c, model, yield* findById(model, row.id), 200)
    }),
  )

/** Answers one row, with its ETag; a new one also with its address. */
export const respondWithRow = (
  c: ApiContext,
  model: ModelName,
  row: Row,
  status: 200 | 201,
  presentation = writePresentation(c),
) =>
  Effect.gen(function* () {
    const [served] = yield* serveRows(c, model, [row], presentation)
    return c.json(served ?? {}, status, {
      ETag: etag(row),
      ...(status === 201 ? { Location: rowUrl(baseUrl(c), model, row.id) } : {}),
    })
  })

/** Rows as a request gets them, with their tags and custom fields. */
const serveRows = (c: ApiContext, model: ModelName, rows: ReadonlyArray<Row>, presentation = writePresentation(c)) =>
  Effect.gen(function* () {
    const attached = needsDefinitions(presentation) ? yield* attachedTo(model, rows) : noDefinitions
    return rows.map(rowServer(model, { base: baseUrl(c), presentation, attached }))
  })

/** After a write `brief` does not count. */
const writePresentation = (c: ApiContext): Presentation => ({
  ...parsePresentation(new URL(c.req.url).searchParams),
  brief: false,
})

function writableModel(model: ModelName): WritableModel | null {
  return registry[model].writable && model !== 'namespace' && model !== 'group' && model !== 'task' ? model : null
}
