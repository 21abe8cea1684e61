import { Context, type Effect, type Option } from 'effect'
import type { RequestCost } from '../request-cost.ts'
import type { Page } from './runs.ts'
import type { SourceCost } from './source.ts'
import type { StoreFailed } from './store-failed.ts'

/** What one server was asked on one day. */
export interface DayCost extends RequestCost {
  /** In UTC, like `2026-05-01`. */
  readonly day: string
}

/** What the servers were asked: by the jobs of runs, and on each day. */
export class RequestCosts extends Context.Tag('@netbox-pbs/core/RequestCosts')<
  RequestCosts,
  {
    /**
     * Adds what a source told a job at the end of a stream. Costs of its own run are those of the job; costs of another
     * run are those of the server's job there. Of a server that is not in main nothing is kept.
     */
    readonly record: (request: {
      readonly runId: number
      /** The server of the job, which all costs are of; null: the gateway's job, and the servers are known by name. */
      readonly serverId: number | null
      /** The day in UTC, like `2026-05-01`. */
      readonly day: string
      readonly costs: ReadonlyArray<SourceCost>
    }) => Effect.Effect<void, StoreFailed>
    /** The days on which a server was asked something, newest first. */
    readonly days: (request: {
      readonly serverId: number
      readonly limit: number
      readonly offset: number
    }) => Effect.Effect<Page<DayCost>, StoreFailed>
    /** The servers, by id, that were sent so many requests or more on a day. */
    readonly reached: (request: {
      readonly day: string
      readonly requests: number
    }) => Effect.Effect<ReadonlySet<number>, StoreFailed>
    /** The newest run that asked a server something in a job of the server. */
    readonly lastRun: (request: {
      readonly serverId: number
    }) => Effect.Effect<Option.Option<{ readonly runId: number; readonly cost: RequestCost }>, StoreFailed>
  }
>() {}
