import { Context, type Effect, type Option, type Stream } from 'effect'
import type { RecordPage, RecordQuery } from '../query/list-query.ts'
import type { Run, RunJob, RunMode, RunTrigger, ScopeResult, Warning } from '../run.ts'
import type { Resource } from '../scope.ts'
import type { ScopeFilter } from '../scope-filter.ts'
import type { StoreFailed } from './store-failed.ts'

/** A page of records, with the number of all of them. */
export interface Page<A> {
  readonly count: number
  readonly rows: ReadonlyArray<A>
}

/** A page of a list that may be read by a cursor, which does not count. */
export interface ListedPage<A> {
  /** Null: it was read by a cursor. */
  readonly count: number | null
  readonly rows: ReadonlyArray<A>
}

/** A run to be recorded. */
export interface NewRun {
  readonly resources: ReadonlyArray<Resource>
  /** Names (text) or ids (numbers); null: all. They are stored by id, so a rename does not affect them. */
  readonly servers: ReadonlyArray<string | number> | null
  /** Which scopes of them; null, or left out: all. */
  readonly scope_filter?: ScopeFilter | null
  readonly trigger: RunTrigger
  /** Left out: `full`. */
  readonly mode?: RunMode
  /** The user who started it; empty for a schedule. */
  readonly user: string
}

/** A run after the end of one of its jobs. */
export interface EndedJob {
  readonly run: Run
  /** Whether the run waits for another job. */
  readonly jobsLeft: boolean
}

/** Scopes that `recordUnopened` takes at a time. */
export const mostUnopened = 1000

/** The records of runs: written by sync, read while they run. */
export class Runs extends Context.Tag('@netbox-pbs/core/Runs')<
  Runs,
  {
    readonly create: (run: NewRun) => Effect.Effect<Run, StoreFailed>
    readonly get: (request: { readonly id: number }) => Effect.Effect<Option.Option<Run>, StoreFailed>
    /** Newest first, unless asked otherwise. Fields are `runFields`. */
    readonly list: (request: RecordQuery & RecordPage) => Effect.Effect<ListedPage<Run>, StoreFailed>
    /**
     * The scopes of a run that did not end unchanged, in the order they ended, under the present
     * names of their servers.
     */
    readonly scopes: (request: {
      readonly id: number
      readonly limit: number
      readonly offset: number
    }) => Effect.Effect<Page<ScopeResult>, StoreFailed>
    /** The jobs of a run, most important first: failed, tried again, running, waiting, done; then by server. */
    readonly jobs: (request: {
      readonly id: number
      readonly limit: number
      readonly offset: number
    }) => Effect.Effect<Page<RunJob>, StoreFailed>
    readonly warnings: (request: { readonly id: number }) => Effect.Effect<ReadonlyArray<Warning>, StoreFailed>

    /** The jobs a run waits for, by the server's id; null is the gateway's. Naming one twice is the same as once. */
    readonly expectJobs: (request: {
      readonly id: number
      readonly serverIds: ReadonlyArray<number | null>
    }) => Effect.Effect<void, StoreFailed>
    /**
     * Marks a job as taken and the run as running; taking it again resets its unchanged count. False: the
     * job or its run has ended.
     */
    readonly startJob: (request: {
      readonly id: number
      readonly serverId: number | null
    }) => Effect.Effect<boolean, StoreFailed>
    /** A try of a job failed, and another one follows. */
    readonly retryJob: (request: {
      readonly id: number
      readonly serverId: number | null
      readonly reason: string
    }) => Effect.Effect<void, StoreFailed>
    /**
     * Jobs that a run has waited for since before a moment (RFC 3339), with the name of their server as it
     * is now. A run without recorded jobs waits for the gateway's.
     */
    readonly openJobs: (request: {
      readonly before: string
    }) => Stream.Stream<
      { readonly runId: number; readonly serverId: number | null; readonly server: string | null },
      StoreFailed
    >
    /**
     * Ends a job; `error` is the failure of the job as a whole. Exactly one caller learns that its
     * job was the last, also when several end at the same time; repeating a call returns the same
     * answer.
     */
    readonly endJob: (request: {
      readonly id: number
      readonly serverId: number | null
      readonly error: string | null
    }) => Effect.Effect<EndedJob, StoreFailed>
    /**
     * Open runs of which the last job ended before a moment (RFC 3339), by id: their worker stopped before
     * it could end them.
     */
    readonly withoutJobs: (request: { readonly before: string }) => Effect.Effect<ReadonlyArray<number>, StoreFailed>
    /**
     * Ends a run that waits for no job, with the state that `runStatus` gives; any other run does not
     * change. `error`, a failure after its jobs, makes it incomplete at best, or failed without any
     * scope; a run whose cancelling was requested is cancelled.
     */
    readonly end: (request: { readonly id: number; readonly error: string | null }) => Effect.Effect<Run, StoreFailed>
    /**
     * A scope has ended. An unchanged one is counted, not recorded; a scope recorded by an earlier
     * attempt is replaced, unless it landed then and is unchanged now.
     */
    readonly recordScope: (request: {
      readonly id: number
      readonly serverId: number | null
      readonly result: ScopeResult
    }) => Effect.Effect<void, StoreFailed>
    /**
     * Records scopes that ended without being opened, like `recordScope` for each of them, in one statement. At most
     * `mostUnopened` at a time, so that the embedded database serves others in between.
     */
    readonly recordUnopened: (request: {
      readonly id: number
      readonly serverId: number | null
      readonly results: ReadonlyArray<ScopeResult>
    }) => Effect.Effect<void, StoreFailed>
    /** Adds up equal warnings; at most 1000 different ones are kept, the rest are counted under the code `more`. */
    readonly warn: (request: {
      readonly id: number
      readonly warnings: ReadonlyArray<Warning>
    }) => Effect.Effect<void, StoreFailed>
    readonly progress: (request: {
      readonly id: number
      readonly serverId: number | null
      readonly rowsRead: number
    }) => Effect.Effect<void, StoreFailed>
    /** A run of which no job has started ends at once; a running one with its jobs. */
    readonly requestCancel: (request: { readonly id: number }) => Effect.Effect<Option.Option<Run>, StoreFailed>
    readonly cancelRequested: (request: { readonly id: number }) => Effect.Effect<boolean, StoreFailed>
  }
>() {}
