import {
  branchedModels,
  branchKinds,
  branchStatuses,
  changeActions,
  conflictKinds,
  type ModelName,
  registry,
} from '@netbox-pbs/core'
import type { BranchChangeFilter, BranchFilter, ConflictFilter } from '@netbox-pbs/core/ports'
import type { Effect } from 'effect'
import { fieldsOf } from '../openapi/shared-schemas.ts'
import type { HttpError } from '../rest/http-error.ts'
import { choices, flag, id, numbers, type RecordQuery, readFilter, search, texts } from '../rest/read-filter.ts'

const objectType = (model: ModelName): string => registry[model].objectType
const objectTypes = choices('object_type', branchedModels, objectType)

/** Reads the filters of the list of branches from a query. */
export const readBranchFilter = (params: URLSearchParams): Effect.Effect<RecordQuery<BranchFilter>, HttpError> =>
  readFilter<BranchFilter>(
    params,
    fieldsOf('Branch'),
    {
      statuses: choices('status', branchStatuses),
      kinds: choices('kind', branchKinds),
      names: texts('name'),
      schemaIds: texts('schema_id'),
      users: texts('user'),
      search: search('q'),
      stagedBy: id('run'),
    },
    ['ordering'],
  )

/** Reads the filters of what a branch changes from a query. */
export const readBranchChangeFilter = (
  params: URLSearchParams,
): Effect.Effect<RecordQuery<BranchChangeFilter>, HttpError> =>
  readFilter<BranchChangeFilter>(params, fieldsOf('BranchChange'), {
    models: objectTypes,
    actions: choices('action', changeActions),
    objectIds: numbers('object_id'),
    search: search('q'),
  })

/** Reads the filters of a list of conflicts from a query. */
export const readConflictFilter = (params: URLSearchParams): Effect.Effect<RecordQuery<ConflictFilter>, HttpError> =>
  readFilter<ConflictFilter>(params, fieldsOf('BranchConflict'), {
    ids: numbers('id'),
    kinds: choices('kind', conflictKinds),
    models: objectTypes,
    fields: texts('field'),
    scopes: texts('scope'),
    resolved: flag('resolved'),
  })
