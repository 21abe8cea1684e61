import { Context, type Effect, type Option } from 'effect'
import type { Resource } from '../scope.ts'
import type { ScopeFilter } from '../scope-filter.ts'
import type { StoreFailed } from './store-failed.ts'

/**
 * One queue job: a run's part for one server, or for the gateway (`serverId` null), which lands the
 * servers and then queues their jobs. A server is known by its id, so that a rename leaves its jobs
 * as they are; its name is looked up when the job starts.
 */
export interface SyncJob {
  readonly runId: number
  readonly serverId: number | null
  readonly resources: ReadonlyArray<Resource>
  /** Which scopes of the server; null, or left out: all. */
  readonly scope_filter?: ScopeFilter | null
}

/** A job this worker holds. */
export interface ClaimedJob {
  readonly id: string
  readonly job: SyncJob
  /** 1 for the first try. A try of a lost worker counts too. */
  readonly attempt: number
  /**
   * No try is left after this one. More than one attempt can be the last: a lost worker cannot end its
   * run, so its job is always taken again.
   */
  readonly last: boolean
  /** After this long without a heartbeat, another worker takes the job. */
  readonly heartbeatTimeoutSeconds: number
}

/** The queue of sync jobs: at most one is active per server, with any number of workers. */
export class Queue extends Context.Tag('@netbox-pbs/core/Queue')<
  Queue,
  {
    /**
     * Queueing the same part of the same run again changes nothing, also for a day after it is
     * done. An urgent job is taken before any other that waits.
     */
    readonly enqueue: (job: SyncJob, how: { readonly urgent: boolean }) => Effect.Effect<void, StoreFailed>
    /** Removes the jobs of a run that no worker holds from the queue, and returns the ids of their servers. */
    readonly drop: (request: { readonly runId: number }) => Effect.Effect<ReadonlyArray<number | null>, StoreFailed>
    /** The given jobs that neither wait nor are held. */
    readonly missing: <J extends Pick<SyncJob, 'runId' | 'serverId'>>(
      jobs: ReadonlyArray<J>,
    ) => Effect.Effect<ReadonlyArray<J>, StoreFailed>
    /**
     * The next job whose server no other worker holds; none when there is nothing to do. Jobs of
     * the servers to `avoid` are put off for a few seconds, for any worker.
     */
    readonly claim: (how?: {
      readonly avoid?: ReadonlyArray<number>
    }) => Effect.Effect<Option.Option<ClaimedJob>, StoreFailed>
    /**
     * A claim that is not renewed for `heartbeatTimeoutSeconds` is given to another worker; later calls of
     * the old one change nothing.
     */
    readonly heartbeat: (claimed: ClaimedJob) => Effect.Effect<void, StoreFailed>
    readonly complete: (claimed: ClaimedJob) => Effect.Effect<void, StoreFailed>
    /** Tries it again after a backoff, or ends it after the last try. */
    readonly retry: (claimed: ClaimedJob, reason: string) => Effect.Effect<void, StoreFailed>
    /** Gives the job back at once, without counting the try: the worker is shutting down. */
    readonly release: (claimed: ClaimedJob) => Effect.Effect<void, StoreFailed>
    /** Jobs queued or active for a server, so that a schedule can see that it is busy. */
    readonly busy: (request: { readonly serverId: number | null }) => Effect.Effect<boolean, StoreFailed>
  }
>() {}
