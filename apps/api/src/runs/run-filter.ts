import { runStatuses, runTriggers } from '@netbox-pbs/core'
import type { RunFilter } from '@netbox-pbs/core/ports'
import type { Effect } from 'effect'
import { choices, type RecordQuery, readFilter } from '../http/read-filter.ts'
import type { Refused } from '../http/refused.ts'

/** Reads the filters of the list of runs from a query. */
export const readRunFilter = (params: URLSearchParams): Effect.Effect<RecordQuery<RunFilter>, Refused> =>
  readFilter<RunFilter>(params, 'SyncRun', {
    statuses: choices('status', runStatuses),
    triggers: choices('trigger', runTriggers),
  })
