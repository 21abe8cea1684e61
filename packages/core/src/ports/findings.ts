import { Context, Data, type Effect, type Option } from 'effect'
import type { Actor } from '../change-log.ts'
import type { Finding } from '../protection/findings/finding-record.ts'
import type { RecordPage, RecordQuery } from '../query/list-query.ts'
import type { ListedPage } from './runs.ts'
import type { StoreFailed } from './store-failed.ts'

/** How many findings an evaluation opened and closed. */
export interface EvaluationCounts {
  readonly opened: number
  readonly closed: number
}

/** The finding is closed, so that nothing is left to snooze. */
export class FindingClosed extends Data.TaggedError('FindingClosed')<{ readonly finding: Finding }> {
  override get message(): string {
    return `finding ${this.finding.id} is closed since ${this.finding.closed}: nothing is left to snooze`
  }
}

/** A text to look for, next to the fields of findings. */
export interface FindingFilter extends RecordQuery {
  /** A text in the title, the sentence or the name of the server, in any case. */
  readonly search?: string
}

/** What is wrong, since when, and what mends it. */
export class Findings extends Context.Tag('@netbox-pbs/core/Findings')<
  Findings,
  {
    /**
     * Judges everything in one transaction, and opens, keeps and closes findings. None: it is not due, or
     * another process is at it. It is due when the last one is `every` seconds old, or after `latest`
     * (its clock was ahead), and, with `afterRuns`, as soon as a run has ended. Times are seconds since 1970.
     */
    readonly evaluate: (request: {
      readonly now: number
      readonly every: number
      readonly latest: number
      readonly afterRuns: boolean
      /** Whether a worker asks, so that one runs. The first evaluation is a worker's. */
      readonly byWorker: boolean
    }) => Effect.Effect<Option.Option<EvaluationCounts>, StoreFailed>
    /** Open ones first, the worst first, then the oldest. Fields are `findingFields`. */
    readonly list: (
      request: RecordPage & { readonly filter: FindingFilter },
    ) => Effect.Effect<ListedPage<Finding>, StoreFailed>
    readonly get: (request: { readonly id: number }) => Effect.Effect<Option.Option<Finding>, StoreFailed>
    /**
     * Snoozes a finding until a time, RFC 3339, or ends that with null. None: there is no such finding. The change
     * log has it.
     */
    readonly snooze: (request: {
      readonly id: number
      readonly until: string | null
      readonly reason: string
      readonly actor: Actor
    }) => Effect.Effect<Option.Option<Finding>, StoreFailed | FindingClosed>
  }
>() {}
