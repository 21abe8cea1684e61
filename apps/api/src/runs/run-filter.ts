import { runStatuses, runTriggers } from '@netbox-pbs/core'
import type { RunFilter } from '@netbox-pbs/core/ports'
import type { Effect } from 'effect'
import { fieldsOf } from '../openapi/shared-schemas.ts'
import type { HttpError } from '../rest/http-error.ts'
import { choices, type RecordQuery, readFilter } from '../rest/read-filter.ts'

/** Reads the filters of the list of runs from a query. */
export const readRunFilter = (params: URLSearchParams): Effect.Effect<RecordQuery<RunFilter>, HttpError> =>
  readFilter<RunFilter>(params, fieldsOf('SyncRun'), {
    statuses: choices('status', runStatuses),
    triggers: choices('trigger', runTriggers),
  })
