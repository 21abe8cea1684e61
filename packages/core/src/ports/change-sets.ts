import { Context, Data, type Effect } from 'effect'
import type { ServerHealth } from '../health/server-health.ts'
import type { ModelName } from '../registry/field.ts'
import type { Observations } from '../registry/registry.ts'
import type { RowCounts, ScopeResult } from '../run.ts'
import { type Scope, scopeTitle } from '../scope.ts'
import type { Change } from '../sync/change.ts'
import type { Sightings } from '../sync/diff.ts'
import type { HoldReason } from '../sync/guard.ts'
import type { UsagePoint } from '../usage.ts'
import type { BranchNotOpen } from './branch-errors.ts'
import type { StoreFailed } from './store-failed.ts'

/** The change set was dropped, or another worker took the job over: what this worker holds may no longer land. */
export class ChangeSetClosed extends Data.TaggedError('ChangeSetClosed')<{ readonly changeSet: number }> {
  override get message(): string {
    return `change set ${this.changeSet} is closed: its job was taken over or cancelled, nothing more of it lands`
  }
}

/**
 * The server has another name by now than the one that its source was asked by. What was listed under the old name lands no more: another server may have that name meanwhile. The job
 * begins again, under the new name.
 */
export class ServerRenamed extends Data.TaggedError('ServerRenamed')<{
  readonly serverId: number
  readonly before: string
  readonly after: string
}> {
  override get message(): string {
    return `${this.before} was renamed to ${this.after} while it was read: its job begins again under the new name`
  }
}

/**
 * A merge has been undone in the scope, and this run would bring it back: it waits for review. `branch` is the open branch of a sync that holds changes of the scope already; null: one
 * has to be opened.
 */
export class ScopeInReview extends Data.TaggedError('ScopeInReview')<{
  readonly scope: Scope
  readonly branch: number | null
}> {
  override get message(): string {
    return `${scopeTitle(this.scope)} wait for review: what a run changes in them is staged in a branch`
  }
}

/** Models whose observations travel with a scope. */
export type ObservedModel = 'server' | 'datastore' | 'job' | 'task'

/** A reading of one row, by its natural key: the row may be created by the same landing. */
export interface Observed<M extends ObservedModel> {
  readonly key: string
  readonly values: M extends 'server' ? ServerHealth : M extends 'datastore' ? DatastoreObservation : Observations<M>
}

/** What was read of a datastore at one moment, and what its source still knows of earlier ones. */
export type DatastoreObservation = Observations<'datastore'> & {
  /** Oldest first, at most `mostUsagePoints`; left out where the source keeps none. */
  readonly usage?: ReadonlyArray<UsagePoint> | undefined
}

/** The frame a group was read from, to be remembered when its scope lands. */
export interface GroupDigest {
  /** Natural key of the group. */
  readonly key: string
  readonly digest: string
  /** Snapshots in the frame. */
  readonly listed: number
}

/**
 * Part of what a scope changes. Appended in short transactions; nothing of it is seen in main.
 *
 * A group or a namespace is deleted only as far as no row is left in it: one in which rows made by a user remain stays, as if made by a user itself.
 * An `Update` may change key fields (a server that takes its endpoint's name); its `key` is the one the row has now.
 */
export interface Appended<M extends ModelName = ModelName> {
  readonly changeSet: number
  readonly scope: Scope
  readonly model: M
  readonly changes: ReadonlyArray<Change<M>>
  /** The deletions of this part wait, also when those of the scope land: `children_held`. */
  readonly held?: HoldReason
  readonly observed?: M extends ObservedModel ? ReadonlyArray<Observed<M>> : never
  readonly digests?: M extends 'group' ? ReadonlyArray<GroupDigest> : never
  /**
   * Rows that are absent from now on, and absent ones that are listed again: noted in main, also where the changes of the scope wait in a branch. The listed snapshots of a group share what
   * is noted of it.
   */
  readonly sightings?: M extends SightedModel ? Sightings : never
}

/** Models whose rows a source may leave out without a word. */
export type SightedModel = 'datastore' | 'namespace' | 'group' | 'job'

/** A complete scope, judged by the guard. */
export interface Landing {
  readonly changeSet: number
  readonly scope: Scope
  readonly runId: number
  /** When the scope's list was complete, RFC 3339: `last_seen_at` of every row it listed. */
  readonly at: string
  /** Visibility of the list that lacks what is deleted. That of the scope's own list is stored only when none of its deletions waits. */
  readonly visibility: string | null
  /** The scope's deletions wait, and why; null: they land, save those of parts that are held by themselves. */
  readonly held: HoldReason | null
  /**
   * What becomes of rows that are missing already, when an operator's decision of the scope's held deletions says so, and the set's revision as it was judged. Omitted: the
   * same as of the others. A set that has changed since keeps its rows; what is new is decided by the next run.
   */
  readonly decided?: { readonly missing: 'kept' | 'deleted'; readonly revision: number }
  /** A source listed this scope to its end. False for a scope emptied because its parent is gone: its visibility and the time of its last complete list stay. */
  readonly listed: boolean
  /**
   * Rows of the scope that exist and that the source could not read; left out: 0. While it is not 0 no deletion lands or waits, visibility and time of the last complete list stay, and the digests
   * of groups that were read are forgotten.
   */
  readonly leftOut?: number
  /** How the run records it; null: it does not. */
  readonly record: LandingRecord | null
}

/** The record of a scope that lands, written by the landing's own transaction: a crash comes before both or after both. */
export interface LandingRecord {
  /** The job's server by id; null: the gateway's job. */
  readonly serverId: number | null
  /** How the scope ended, now that the touched rows are counted. */
  readonly result: (counts: RowCounts) => Effect.Effect<ScopeResult>
}

/** What a scope left in a branch. */
export interface Staged {
  /** The branch that holds the scope's changes: an earlier run's when that still waits for review, else the one asked for; null: there is nothing to hold. */
  readonly branch: number | null
  readonly counts: RowCounts
}

/** Waiting changes of a run, and the one way into main. */
export class ChangeSets extends Context.Tag('@netbox-pbs/core/ChangeSets')<
  ChangeSets,
  {
    /**
     * A new change set for one job of a run. Any open one of the same run and server (an earlier attempt, whose worker is lost) is closed and
     * what it held is dropped.
     */
    readonly open: (request: {
      readonly runId: number
      readonly serverId: number | null
    }) => Effect.Effect<number, StoreFailed>
    readonly append: <M extends ModelName>(part: Appended<M>) => Effect.Effect<void, StoreFailed | ChangeSetClosed>
    /**
     * Applies a scope's part in one transaction: creates, updates, deletions or their holding, observations, digests, recomputed counters, the scope's own row, its held
     * set, the run's record of it (see `recordScope`) and the change log: an entry for each row that was updated or deleted, one for all that were created.
     * Returns the rows of the scope's model that were touched (`unchanged` is 0: only sync knows it). Rows that a dismissed set keeps are not counted as held back.
     *
     * A scope names its server as its source does; it must be the server that the change set was opened for, under the name that it has now: see `ServerRenamed`.
     *
     * A scope that is set to review, since a merge was undone in it, lands only when nothing changes. It stays so until the branch that its next changes wait in has ended.
     */
    readonly land: (
      landing: Landing,
    ) => Effect.Effect<RowCounts, StoreFailed | ChangeSetClosed | ScopeInReview | ServerRenamed>
    /**
     * Moves a scope's part into a branch in one transaction, instead of landing it. An open branch of a sync that covers the scope already is refreshed in place: it gets the new values, what it
     * first found in main stays, and what this run would no longer change leaves it. Observations land in main all the same. A held scope is staged whole, as a conflict of the guard.
     */
    readonly stage: (
      landing: Landing & { readonly branch: number },
    ) => Effect.Effect<Staged, StoreFailed | ChangeSetClosed | BranchNotOpen | ServerRenamed>
    /** Forgets what a scope has appended: it failed, or was cancelled. */
    readonly dropScope: (request: {
      readonly changeSet: number
      readonly scope: Scope
    }) => Effect.Effect<void, StoreFailed>
    /** Ends a change set; what has not landed is dropped. */
    readonly close: (request: { readonly changeSet: number }) => Effect.Effect<void, StoreFailed>
  }
>() {}
