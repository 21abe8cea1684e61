import { Context, type Effect } from 'effect'
import type { RecordPage, RecordQuery } from '../query/list-query.ts'
import type { ListedPage } from './runs.ts'
import type { StoreFailed } from './store-failed.ts'

/** How the backup tasks ended that began in one night, from noon to noon in UTC. */
export interface NightOutcomes {
  /** The day on which it begins, like `2026-05-01`. */
  readonly night: string
  readonly server: { readonly id: number; readonly name: string }
  /**
   * Whether all its tasks are known: it is over, the tasks of the server were read since, and main has
   * older ones. Else the numbers are of those that are known.
   */
  readonly known: boolean
  readonly ok: number
  readonly warning: number
  readonly error: number
  /** Those that run, or whose end is not known. */
  readonly other: number
}

/** Numbers for charts. Users who see some servers only get those of these. */
export class Insights extends Context.Tag('@netbox-pbs/core/Insights')<
  Insights,
  {
    /** The last `nights` of each server, newest first, then by server. Fields are `nightFields`. */
    readonly nights: (
      request: RecordPage & { readonly filter: RecordQuery },
    ) => Effect.Effect<ListedPage<NightOutcomes>, StoreFailed>
  }
>() {}
