import { type ChangeFilter, changeActions, type LoggedModel, modelNames, otherLogged } from '@netbox-pbs/core'
import type { Effect } from 'effect'
import { fieldsOf } from '../openapi/shared-schemas.ts'
import type { HttpError } from '../rest/http-error.ts'
import { loggedTypes } from '../rest/logged-types.ts'
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

const models: ReadonlyArray<LoggedModel> = [...modelNames, ...otherLogged]

/** Reads the filters of the change log from a query. */
export const readChangeFilter = (params: URLSearchParams): Effect.Effect<RecordQuery<ChangeFilter>, HttpError> =>
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
