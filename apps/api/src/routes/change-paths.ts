import {
  type ChangeAction,
  type ChangeFilter,
  changeActions,
  type LoggedChange,
  type LoggedModel,
  modelNames,
  otherLogged,
} from '@netbox-pbs/core'
import { Changes } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { pathId } from '../inventory/find-row.ts'
import {
  errorResponses,
  idParameter,
  notFoundResponse,
  pageParameters,
  ref,
  response,
  wrongFilter,
} from '../openapi/responses.ts'
import { fieldsOf } from '../openapi/shared-schemas.ts'
import { respondWithRecords } from '../rest/envelope.ts'
import { type HttpError, notFound } from '../rest/http-error.ts'
import { baseUrl, branchUrl, changesPath, runUrl } from '../rest/links.ts'
import { loggedObjectTypes, loggedTypes } from '../rest/logged-types.ts'
import {
  choices,
  numbers,
  type RecordQuery,
  readFilter,
  texts,
  timestamp,
  uuids,
  wholeNumber,
} from '../rest/read-filter.ts'
import { type Path, type Route, route } from '../rest/route.ts'

const tags = ['plugins']

const integerList = { type: 'array' as const, items: { type: 'integer' as const } }
const textList = { type: 'array' as const, items: { type: 'string' as const } }
const choiceList = (values: ReadonlyArray<string>) => ({
  type: 'array' as const,
  items: { type: 'string' as const, enum: [...values] },
})
const datetime = { type: 'string' as const, format: 'date-time' }

const filters = {
  action: choiceList(changeActions),
  changed_object_type: choiceList(loggedObjectTypes),
  changed_object_id: integerList,
  user_name: textList,
  request_id: { type: 'array' as const, items: { type: 'string' as const, format: 'uuid' } },
  run: integerList,
  branch: integerList,
  after_id: { type: 'integer' as const, minimum: 0 },
  time_after: datetime,
  time_before: datetime,
}

const listRoute: Route = route(
  {
    method: 'get',
    path: changesPath,
    tags,
    operationId: 'plugins_pbs_changes_list',
    parameters: [
      ...Object.entries(filters).map(([name, schema]) => ({ name, in: 'query' as const, schema })),
      ...pageParameters,
    ],
    responses: {
      ...errorResponses,
      200: response(
        'The change log, newest first; with `after_id` what followed that entry, oldest first',
        ref('ChangeList'),
      ),
      ...wrongFilter,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const { filter, ignored } = yield* readChangeFilter(new URL(c.req.url).searchParams)
      const changes = yield* Changes
      return yield* respondWithRecords(c, {
        path: changesPath,
        ignored,
        read: (page) => changes.list({ filter, ...page }),
        serve: (change, base) => servedChange(base, change),
      })
    }),
)

const detailRoute: Route = route(
  {
    method: 'get',
    path: `${changesPath}{id}/`,
    tags,
    operationId: 'plugins_pbs_changes_retrieve',
    parameters: [idParameter],
    responses: { ...errorResponses, 200: response('The entry', ref('Change')), ...notFoundResponse },
  },
  (c) =>
    Effect.gen(function* () {
      const id = yield* pathId(c)
      const changes = yield* Changes
      const found = yield* changes.get({ id })
      if (Option.isNone(found)) return yield* notFound('No Change matches the given query.')
      return c.json(servedChange(baseUrl(c), found.value))
    }),
)

/** The change log: what was done to each object, by whom, and in which run or request. */
export const changePaths: ReadonlyArray<Path> = [{ routes: [listRoute] }, { routes: [detailRoute] }]

const models: ReadonlyArray<LoggedModel> = [...modelNames, ...otherLogged]

/** Reads the filters of the change log from a query. */
const readChangeFilter = (params: URLSearchParams): Effect.Effect<RecordQuery<ChangeFilter>, HttpError> =>
  readFilter<ChangeFilter>(params, fieldsOf('Change'), {
    actions: choices('action', changeActions),
    models: choices('changed_object_type', models, (model) => loggedTypes[model].objectType),
    objectIds: numbers('changed_object_id'),
    users: texts('user_name'),
    requestIds: uuids('request_id'),
    runIds: numbers('run'),
    branchIds: numbers('branch'),
    afterId: wholeNumber('after_id'),
    after: timestamp('time_after'),
    before: timestamp('time_before'),
  })

const labels = { create: 'Created', update: 'Updated', delete: 'Deleted' } as const satisfies Record<
  ChangeAction,
  string
>

/** An entry of the change log in the shape of NetBox's ObjectChange, with the branch and the run that landed it and what it sums up. */
const servedChange = (base: string, change: LoggedChange) => ({
  id: change.id,
  url: `${base}${changesPath}${change.id}/`,
  display: display(change),
  time: change.time,
  user_name: change.user,
  request_id: change.requestId,
  run:
    change.runId === null
      ? null
      : { id: change.runId, url: runUrl(base, change.runId), display: `Run ${change.runId}` },
  action: { value: change.action, label: labels[change.action] },
  branch:
    change.branch === null
      ? null
      : { id: change.branch.id, url: branchUrl(base, change.branch.id), display: change.branch.name },
  changed_object_type: loggedTypes[change.model].objectType,
  changed_object_id: change.objectId,
  object_repr: change.title,
  prechange_data: change.before ?? {},
  postchange_data: change.after ?? {},
  counts: change.counts,
})

function display({ action, model, objectId, title, user, runId }: LoggedChange): string {
  const { label, labelPlural } = loggedTypes[model]
  const by = runId === null ? user : `run ${runId}`
  const what = objectId === null ? `${labelPlural} in ${title}` : model === 'settings' ? label : `${label} ${title}`
  return `${what} ${labels[action].toLowerCase()} by ${by}`
}
