import {
  type DefinitionKind,
  definitionKinds,
  definitionModels,
  type FieldErrors,
  type FieldValues,
  type Presentation,
  parsePresentation,
} from '@netbox-pbs/core'
import { type DefinitionInUse, DefinitionStore, type DefinitionsTaken } from '@netbox-pbs/core/ports'
import { Chunk, Effect, Stream } from 'effect'
import { checkDefinition } from '../definitions/check-definition.ts'
import { definitionFilter } from '../definitions/definition-filter.ts'
import { serveDefinitions, shownFields } from '../definitions/serve-definition.ts'
import { bulkError, bulkObjects, objectsNotFound, tooManyObjects } from '../inventory/bulk-targets.ts'
import { pathId } from '../inventory/find-row.ts'
import { describeDefinition, describeDefinitionOperation, servedProperties } from '../openapi/definition-schemas.ts'
import { type ApiContext, actorOf } from '../rest/caller.ts'
import { allRecords, envelope, nameIgnored, recordPage, storedPage } from '../rest/envelope.ts'
import { checkVersion, etag, expectedVersions } from '../rest/etag.ts'
import { listParameters, respondWithObjects } from '../rest/export.ts'
import { HttpError, invalid, notFound } from '../rest/http-error.ts'
import { baseUrl, definitionsPath, definitionUrl } from '../rest/links.ts'
import { maxObjects, readBody } from '../rest/read-body.ts'
import { type Path, type Route, route } from '../rest/route.ts'
import { hasErrors, validateRemoval, type WriteMode } from '../validation/validate-item.ts'

/** The operations of a kind of definitions: its list and one of them, also for several at once. */
function pathsOf(kind: DefinitionKind): ReadonlyArray<Path> {
  const bulk = (mode: WriteMode) => changeMany(kind, mode)
  return [
    {
      routes: [listRoute(kind), createRoute(kind), bulk('whole'), bulk('partial'), removeManyRoute(kind)],
      describe: () => Effect.sync(() => describeDefinition(kind, 'List')),
    },
    {
      routes: [detailRoute(kind), changeOne(kind, 'whole'), changeOne(kind, 'partial'), removeRoute(kind)],
      describe: () => Effect.sync(() => describeDefinition(kind, 'Instance')),
    },
  ]
}

function listRoute(kind: DefinitionKind): Route {
  const filter = definitionFilter(kind)
  return route(describeDefinitionOperation(kind, 'get', 'list', filter.parameters), (c) =>
    Effect.gen(function* () {
      const { format, params } = yield* listParameters(c)
      const filters = new URLSearchParams(params)
      filters.delete('start')
      const { filter: read, ignored } = yield* filter.read(filters)
      const serving = { base: baseUrl(c), presentation: parsePresentation(params) }
      const store = yield* DefinitionStore
      nameIgnored(c, ignored)
      if (format !== null) {
        const all = allRecords((page) => store.list({ kind, filter: read, ...page }))
        return yield* respondWithObjects(c, {
          ...{ format, name: definitionModels[kind].path },
          columns: Object.keys(servedProperties(kind)).filter(shownFields(kind, serving.presentation)),
          objects: Stream.mapChunksEffect(all, (rows) =>
            Effect.map(serveDefinitions(kind, [...rows], serving), Chunk.fromIterable),
          ),
        })
      }
      const page = yield* recordPage(params)
      const { count, rows } = yield* store.list({ kind, filter: read, ...storedPage(page) })
      const results = yield* serveDefinitions(kind, rows, serving)
      const url = `${baseUrl(c)}${definitionsPath(kind)}`
      return c.json(envelope({ page, count, results, lastId: rows.at(-1)?.id ?? null, url, params }))
    }),
  )
}

const detailRoute = (kind: DefinitionKind): Route =>
  route(describeDefinitionOperation(kind, 'get', 'detail'), (c) =>
    Effect.flatMap(findOne(kind, c), (row) =>
      respond(c, kind, row.id, 200, parsePresentation(new URL(c.req.url).searchParams)),
    ),
  )

const createRoute = (kind: DefinitionKind): Route =>
  route(describeDefinitionOperation(kind, 'post', 'list'), (c) =>
    Effect.gen(function* () {
      const body = yield* readBody(c)
      const inputs: ReadonlyArray<unknown> = Array.isArray(body) ? body : [body]
      if (inputs.length > maxObjects) return yield* tooManyObjects
      const fail = (errors: ReadonlyArray<{ readonly index: number; readonly errors: FieldErrors }>) =>
        Array.isArray(body)
          ? bulkError('could not be created', inputs.length, errors)
          : invalid(errors[0]?.errors ?? {})
      const sets = yield* knownSets(kind)
      const checked = inputs.map((input) => checkDefinition(kind, input, { stored: null, mode: 'whole', sets }))
      const wrong = checked.flatMap(({ errors }, index) => (hasErrors(errors) ? [{ index, errors }] : []))
      if (wrong.length > 0) return yield* fail(wrong)
      const store = yield* DefinitionStore
      const rows = checked.map(({ values }) => values)
      const messages = checked.map(({ message }) => message)
      const ids = yield* store
        .create({ kind, rows, messages, actor: actorOf(c) })
        .pipe(Effect.catchTag('DefinitionsTaken', (error) => fail(takenErrors(kind, error))))
      if (!Array.isArray(body)) return yield* respond(c, kind, ids[0] ?? 0, 201)
      return c.json(yield* served(c, kind, ids), 201)
    }),
  )

const changeMany = (kind: DefinitionKind, mode: WriteMode): Route =>
  route(describeDefinitionOperation(kind, mode === 'whole' ? 'put' : 'patch', 'list'), (c) =>
    Effect.gen(function* () {
      const targets = yield* targetsOf(kind, yield* readBody(c), 'refuse')
      const ids = targets.map(({ id }) => id)
      const stored = yield* valuesOf(kind, ids)
      const sets = yield* knownSets(kind)
      const checked = targets.map(({ id, input }) =>
        checkDefinition(kind, input, { stored: stored.get(id) ?? {}, mode, sets }),
      )
      const fail = (errors: ReadonlyArray<{ readonly id: number; readonly errors: FieldErrors }>) =>
        bulkError('could not be updated', targets.length, errors)
      const wrong = checked.flatMap(({ errors }, place) => (hasErrors(errors) ? [{ id: ids[place] ?? 0, errors }] : []))
      if (wrong.length > 0) return yield* fail(wrong)
      const store = yield* DefinitionStore
      const rows = checked.map(({ values, message }, place) => ({ id: ids[place] ?? 0, values, message }))
      yield* store.update({ kind, rows, actor: actorOf(c) }).pipe(
        Effect.catchTags({
          DefinitionsTaken: (error) =>
            fail(takenErrors(kind, error).map(({ index, errors }) => ({ id: ids[index] ?? 0, errors }))),
          DefinitionNotFound: () => noSuch(kind),
        }),
      )
      return c.json(yield* served(c, kind, ids))
    }),
  )

const removeManyRoute = (kind: DefinitionKind): Route =>
  route(describeDefinitionOperation(kind, 'delete', 'list'), (c) =>
    Effect.gen(function* () {
      const targets = yield* targetsOf(kind, yield* readBody(c), 'keep the last')
      const judged = targets.map(({ id, input }) => ({ id, ...validateRemoval(input) }))
      const wrong = judged.filter(({ errors }) => hasErrors(errors)).map(({ id, errors }) => ({ id, errors }))
      if (wrong.length > 0) return yield* bulkError('could not be deleted', targets.length, wrong)
      const store = yield* DefinitionStore
      yield* store
        .remove({ kind, rows: judged.map(({ id, message }) => ({ id, message })), actor: actorOf(c) })
        .pipe(Effect.catchTags({ DefinitionInUse: inUse, DefinitionNotFound: () => noSuch(kind) }))
      return c.body(null, 204)
    }),
  )

const changeOne = (kind: DefinitionKind, mode: WriteMode): Route =>
  route(describeDefinitionOperation(kind, mode === 'whole' ? 'put' : 'patch', 'detail'), (c) =>
    Effect.gen(function* () {
      const row = yield* findOne(kind, c)
      const versions = expectedVersions(c)
      yield* checkVersion(row, versions)
      const { id } = row
      const stored = (yield* valuesOf(kind, [id])).get(id) ?? {}
      const { values, message, errors } = checkDefinition(kind, yield* readBody(c), {
        stored,
        mode,
        sets: yield* knownSets(kind),
      })
      if (hasErrors(errors)) return yield* invalid(errors)
      const store = yield* DefinitionStore
      yield* store.update({ kind, rows: [{ id, values, message, versions }], actor: actorOf(c) }).pipe(
        Effect.catchTags({
          DefinitionsTaken: (error) => invalid(takenErrors(kind, error)[0]?.errors ?? {}),
          DefinitionNotFound: () => noSuch(kind),
        }),
      )
      return yield* respond(c, kind, id, 200)
    }),
  )

const removeRoute = (kind: DefinitionKind): Route =>
  route(describeDefinitionOperation(kind, 'delete', 'detail'), (c) =>
    Effect.gen(function* () {
      const row = yield* findOne(kind, c)
      const versions = expectedVersions(c)
      yield* checkVersion(row, versions)
      const { message, errors } = validateRemoval(yield* readBody(c))
      if (hasErrors(errors)) return yield* invalid(errors)
      const store = yield* DefinitionStore
      yield* store
        .remove({ kind, rows: [{ id: row.id, message, versions }], actor: actorOf(c) })
        .pipe(Effect.catchTags({ DefinitionInUse: inUse, DefinitionNotFound: () => noSuch(kind) }))
      return c.body(null, 204)
    }),
  )

const findOne = (kind: DefinitionKind, c: ApiContext) =>
  Effect.gen(function* () {
    const id = yield* pathId(c)
    const store = yield* DefinitionStore
    const [row] = id > 0 ? yield* store.byIds({ kind, ids: [id] }) : []
    return row ?? (yield* noSuch(kind))
  })

const noSuch = (kind: DefinitionKind) => notFound(`No ${definitionModels[kind].className} matches the given query.`)

/** The objects of a bulk body. Every definition that they name must be there. */
const targetsOf = (kind: DefinitionKind, body: unknown, repeated: 'refuse' | 'keep the last') =>
  Effect.gen(function* () {
    const objects = yield* bulkObjects(body, repeated)
    const ids = objects.map(({ id }) => id)
    const store = yield* DefinitionStore
    const there = new Set((yield* store.byIds({ kind, ids })).map(({ id }) => id))
    const missing = ids.filter((id) => !there.has(id))
    return missing.length > 0 ? yield* objectsNotFound(missing, objects.length) : objects
  })

/** The values of definitions, by their ids. */
const valuesOf = (kind: DefinitionKind, ids: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const store = yield* DefinitionStore
    const rows = yield* store.byIds({ kind, ids })
    // border: the members of a definition are the plain JSON of its fields
    return new Map(rows.map((row) => [row.id, { ...row } as unknown as FieldValues]))
  })

/** More choice sets than there ever are. */
const mostSets = 10_000

const knownSets = (kind: DefinitionKind) =>
  Effect.gen(function* () {
    if (kind !== 'custom_field') return []
    const store = yield* DefinitionStore
    return (yield* store.list({ kind: 'choice_set', filter: {}, limit: mostSets, offset: 0 })).rows
  })

const served = (
  c: ApiContext,
  kind: DefinitionKind,
  ids: ReadonlyArray<number>,
  presentation: Presentation = { ...parsePresentation(new URL(c.req.url).searchParams), brief: false },
) =>
  Effect.gen(function* () {
    const store = yield* DefinitionStore
    const rows = yield* store.byIds({ kind, ids })
    return yield* serveDefinitions(kind, rows, { base: baseUrl(c), presentation })
  })

/** Answers one definition, with its ETag; a new one also with its address. */
const respond = (c: ApiContext, kind: DefinitionKind, id: number, status: 200 | 201, presentation?: Presentation) =>
  Effect.gen(function* () {
    const store = yield* DefinitionStore
    const [row] = yield* store.byIds({ kind, ids: [id] })
    const [body] = yield* served(c, kind, [id], presentation)
    if (row === undefined || body === undefined) return yield* noSuch(kind)
    return c.json(body, status, {
      ETag: etag(row),
      ...(status === 201 ? { Location: definitionUrl(baseUrl(c), kind, id) } : {}),
    })
  })

/** That other definitions have a value already, in NetBox's words. */
function takenErrors(kind: DefinitionKind, { taken }: DefinitionsTaken) {
  const { label } = definitionModels[kind]
  return [...new Set(taken.map(({ index }) => index))].map((index) => ({
    index,
    errors: Object.fromEntries(
      taken
        .filter((one) => one.index === index)
        .map(({ field }) => [
          field,
          [field === 'unique' ? sharedValues : `${label} with this ${field} already exists.`],
        ]),
    ),
  }))
}

/** NetBox would accept it, and the next write of one of these objects would fail. */
const sharedValues = 'Objects share a value of this field: give each of them another one first.'

const inUse = ({ dependents }: DefinitionInUse) =>
  new HttpError({
    status: 409,
    body: {
      detail: `Unable to delete object. ${dependents.length} dependent object${dependents.length === 1 ? ' was' : 's were'} found: ${dependents
        .slice(0, 10)
        .map(({ id, display }) => `${display} (${id})`)
        .join(', ')}`,
    },
  })

/** Tags, custom fields and choice sets at NetBox's addresses. They are not branched. */
export const definitionPaths: ReadonlyArray<Path> = definitionKinds.flatMap(pathsOf)
