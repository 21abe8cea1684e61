import { type ChangeFilter, changeActions, type LoggedModel, modelNames, otherLogged } from '@netbox-pbs/core'
import type { Effect } from 'effect'
import {
  choices,
  moment,
  numbers,
  type RecordQuery,
  readFilter,
  texts,
  uuids,
  wholeNumber,
} from '../http/read-filter.ts'
import type { Refused } from '../http/refused.ts'
import { loggedTypes } from './logged-types.ts'

const models: ReadonlyArray<LoggedModel> = [...modelNames, ...otherLogged]

/** Reads the filters of the change log from a query. */
export const readChangeFilter = (params: URLSearchParams): Effect.Effect<RecordQuery<ChangeFilter>, Refused> =>
  readFilter<ChangeFilter>(params, 'Change', {
    actions: choices('action', changeActions),
    models: choices('changed_object_type', models, (model) => loggedTypes[model].objectType),
    objectIds: numbers('changed_object_id'),
    users: texts('user_name'),
    requestIds: uuids('request_id'),
    runIds: numbers('run'),
    branchIds: numbers('branch'),
    afterId: wholeNumber('after_id'),
    after: moment('time_after'),
    before: moment('time_before'),
  })
