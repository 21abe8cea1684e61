import { Context, Data, type Effect } from 'effect'
import type { ServerHealth } from '../health/server-health.ts'
import type { NaturalKey } from '../key.ts'
import type { ModelName } from '../registry/field.ts'
import type { Observations } from '../registry/registry.ts'
import type { RowCounts, ScopeResult } from '../run.ts'
import { type Scope, scopeTitle } from '../scope.ts'
import type { Change, Sightings } from '../sync/diff.ts'
import type { HoldReason } from '../sync/guard.ts'
import type { UsagePoint } from '../usage.ts'
import type { BranchNotOpen } from './branch-errors.ts'
import type { StoreFailed } from './store-failed.ts'

/** The change set was dropped, or another worker took the job over: this worker may no longer land it. */
export class ChangeSetClosed extends Data.TaggedError('ChangeSetClosed')<{ readonly changeSet: number }> {
  override get message(): string {
    return `change set ${this.changeSet} is closed: its job was taken over or cancelled, nothing more of it lands`
  }
}

/**
 * The server was renamed after the source was read. Rows listed under the old name no longer land, because
 * another server may have taken that name; the job starts again under the new name.
 */
export class ServerRenamed extends Data.TaggedError('ServerRenamed')<{
  readonly serverId: number
  readonly before: string
  readonly after: string
}> {
  override get message(): string {
    return `${this.before} was renamed to ${this.after} while it was read: its job starts again under the new name`
  }
}

/**
 * A merge was reverted in the scope, and this run would apply it again, so its changes wait for review.
 * `branch` is the open branch of a sync that already holds changes of the scope; null: open one.
 */
export class ScopeInReview extends Data.TaggedError('ScopeInReview')<{
  readonly scope: Scope
  readonly branch: number | null
}> {
  override get message(): string {
    return `${scopeTitle(this.scope)} wait for review: the changes of a run are staged in a branch`
  }
}

/** Models whose observations travel with a scope. */
export type ObservedModel = 'server' | 'datastore' | 'job' | 'task'

/** An observation of one row, by its natural key: the row may be created by the same landing. */
export interface Observed<M extends ObservedModel> {
  readonly key: NaturalKey<M>
  readonly values: M extends 'server' ? ServerHealth : M extends 'datastore' ? DatastoreObservation : Observations<M>
}

/** Usage of a datastore now, and the earlier points that its source still has. */
export type DatastoreObservation = Observations<'datastore'> & {
  /** Fields that the source could not tell now: the last known values stay. Left out when there is none. */
  readonly unknown?: ReadonlyArray<string> | undefined
  /** Oldest first, at most `mostUsagePoints`; left out where the source keeps none. */
  readonly usage?: ReadonlyArray<UsagePoint> | undefined
}

/** The frame a group was read from, stored when its scope lands. */
export interface GroupDigest {
  readonly key: NaturalKey<'group'>
  readonly digest: string
  /** Snapshots in the frame. */
  readonly listed: number
  /** As in `SourceGroup`. */
  readonly listDigest: string | null
}

/**
 * A part of a scope's changes. It is appended in short transactions and is not visible in main.
 *
 * A deletion takes a row that a source has listed, not one that a user has made or moved since; of the servers
 * it takes those whose connection was never completed. A parent whose listed rows are still there waits for
 * them; a group or a namespace that holds manual rows stays and becomes manual itself.
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
   * Rows that become absent, and absent rows that are listed again: recorded in main, even where the
   * changes of the scope
   * wait in a branch. The listed snapshots of a group share its presence.
   */
  readonly sightings?: M extends SightedModel ? Sightings : never
  /**
   * Groups whose changes wait in a branch already (see `WaitingGroup`): they stay there as they are. Only a
   * scope that is staged may have them.
   */
  readonly retained?: M extends 'group' ? RetainedGroups : never
}

/** Groups whose changes stay in the branch where they wait. */
export interface RetainedGroups {
  readonly branch: number
  readonly keys: ReadonlyArray<NaturalKey<'group'>>
}

/**
 * The branch that held changes of a scope has ended since the scope was read, and the frames read
 * since then leave these changes out. The job starts again.
 */
export class WaitingChangesGone extends Data.TaggedError('WaitingChangesGone')<{
  readonly branch: number
  readonly scope: Scope
}> {
  override get message(): string {
    return `branch ${this.branch}, in which changes of ${scopeTitle(this.scope)} waited, has ended while they were read: the job starts again`
  }
}

/** Models whose rows a source may silently leave out. */
export type SightedModel = 'datastore' | 'namespace' | 'group' | 'job'

/** A complete scope, judged by the guard. */
export interface Landing {
  readonly changeSet: number
  readonly scope: Scope
  readonly runId: number
  /** When the scope's list was complete, RFC 3339: `last_seen_at` of every row it listed. */
  readonly at: string
  /**
   * Visibility of the list that lacks the deleted rows. A scope's own visibility is stored only when
   * none of its deletions waits.
   */
  readonly visibility: string | null
  /** Why the scope's deletions wait; null: they land, except those of parts with `children_held`. */
  readonly held: HoldReason | null
  /**
   * The operator's decision on rows that are missing already, and the revision of the held
   * deletions that it judged; omitted: they are treated as the others. If the held deletions have
   * changed since, their rows stay and the next run judges again.
   */
  readonly decided?: { readonly missing: 'kept' | 'deleted'; readonly revision: number }
  /**
   * A source listed the whole scope. False for a scope emptied because its parent is gone: its
   * visibility and the time of its last complete list stay.
   */
  readonly listed: boolean
  /**
   * Rows of the scope that exist but that the source could not read; left out: 0. If it is not 0, no
   * deletion lands or waits, the visibility and time
   * of the last complete list stay, and the digests of the groups read are cleared.
   */
  readonly leftOut?: number
  /**
   * When the source began to read all rows of the scope, RFC 3339; left out: `at`. Null: it named groups as
   * unchanged, and the time of the last full list stays.
   */
  readonly fullSince?: string | null
  /** How the run records it; null: not at all. */
  readonly record: LandingRecord | null
}

/**
 * The record of a scope that lands, written by the landing's own transaction: a crash comes before
 * both or after both.
 */
export interface LandingRecord {
  /** The job's server by id; null: the gateway's job. */
  readonly serverId: number | null
  /** How the scope ended, now that the touched rows are counted. */
  readonly result: (counts: RowCounts) => ScopeResult
}

/** The result of staging a scope in a branch. */
export interface Staged {
  /**
   * The branch that holds the scope's changes: an earlier run's if that still waits for review, else the
   * requested one; null: there are no changes.
   */
  readonly branch: number | null
  readonly counts: RowCounts
}

/** Waiting changes of a run, and the one way into main. */
export class ChangeSets extends Context.Tag('@netbox-pbs/core/ChangeSets')<
  ChangeSets,
  {
    /**
     * A new change set for one job of a run. Any open one of the same run and server (an earlier attempt,
     * whose worker is lost) is closed and
     * its changes are dropped.
     */
    readonly open: (request: {
      readonly runId: number
      readonly serverId: number | null
    }) => Effect.Effect<number, StoreFailed>
    readonly append: <M extends ModelName>(part: Appended<M>) => Effect.Effect<void, StoreFailed | ChangeSetClosed>
    /**
     * Applies a scope's part in one transaction: creates, updates, deletions or their holding,
     * observations, digests, recomputed counters, the scope's own row, its held deletions, the run's
     * record of it (see `recordScope`) and the change log: an entry for each row that was updated
     * or deleted, one for all that were created. Returns the touched rows of the scope's model
     * (`unchanged` is 0: only sync knows it). Dismissed rows do not count as held back.
     *
     * A scope names its server as its source does: it must be the server of the change set, under
     * its present name (see `ServerRenamed`).
     *
     * A scope that is set to review, because a merge was reverted in it, lands only when nothing
     * changes. It stays so until the branch with its next changes has ended.
     */
    readonly land: (
      landing: Landing,
    ) => Effect.Effect<RowCounts, StoreFailed | ChangeSetClosed | ScopeInReview | ServerRenamed>
    /**
     * Moves a scope's part into a branch in one transaction instead of landing it; observations
     * still land in main, and a held scope is staged whole as a conflict of the guard. An open
     * branch of a sync that already covers the scope is refreshed in place: it keeps its base, gets
     * the new values and drops changes that this run would not make; retained groups keep their
     * changes. Unless `remember` is false, the groups read are known to wait (see `WaitingGroup`).
     */
    readonly stage: (
      landing: Landing & { readonly branch: number; readonly remember?: false },
    ) => Effect.Effect<Staged, StoreFailed | ChangeSetClosed | BranchNotOpen | ServerRenamed | WaitingChangesGone>
    /** Discards the appended changes of a scope that failed or was cancelled. */
    readonly dropScope: (request: {
      readonly changeSet: number
      readonly scope: Scope
    }) => Effect.Effect<void, StoreFailed>
    /** Ends a change set and drops the changes that have not landed. */
    readonly close: (request: { readonly changeSet: number }) => Effect.Effect<void, StoreFailed>
  }
>() {}
