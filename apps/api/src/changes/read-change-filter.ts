import { type ChangeFilter, changeActions, modelNames, registry } from '@netbox-pbs/core'
import type { Effect } from 'effect'
import { choices, moment, numbers, type RecordQuery, readFilter, texts, uuids } from '../http/read-filter.ts'
import type { Refused } from '../http/refused.ts'

/** NetBox's names of the models. */
export const objectTypes: ReadonlyArray<string> = modelNames.map((model) => registry[model].objectType)

/** Reads the filters of the change log from a query. */
export const readChangeFilter = (params: URLSearchParams): Effect.Effect<RecordQuery<ChangeFilter>, Refused> =>
  readFilter<ChangeFilter>(params, 'Change', {
    actions: choices('action', changeActions),
    models: choices('changed_object_type', modelNames, (model) => registry[model].objectType),
    objectIds: numbers('changed_object_id'),
    users: texts('user_name'),
    requestIds: uuids('request_id'),
    runIds: numbers('run'),
    after: moment('time_after'),
    before: moment('time_before'),
  })
