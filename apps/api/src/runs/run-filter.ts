import { runStatuses, runTriggers } from '@netbox-pbs/core'
import type { RunFilter } from '@netbox-pbs/core/ports'
import type { Effect } from 'effect'
import type { HttpError } from '../http/http-error.ts'
import { choices, type RecordQuery, readFilter } from '../http/read-filter.ts'

/** Reads the filters of the list of runs from a query. */
export const readRunFilter = (params: URLSearchParams): Effect.Effect<RecordQuery<RunFilter>, HttpError> =>
  readFilter<RunFilter>(params, 'SyncRun', {
    statuses: choices('status', runStatuses),
    triggers: choices('trigger', runTriggers),
  })
