import { Context, type Effect, type Option, type Stream } from 'effect'
import type { Branch, BranchChange, BranchConflict, BranchKind } from '../branch.ts'
import type { Author } from '../change-log.ts'
import type { NaturalKey } from '../key.ts'
import type { ConflictKind, Resolution } from '../merge/conflict.ts'
import type { RecordPage, RecordQuery } from '../query/list-query.ts'
import type { ModelName } from '../registry/field.ts'
import type { RowCounts } from '../run.ts'
import type { BranchStatus, ClosedBranchStatus } from '../status.ts'
import type {
  ApprovalNotAllowed,
  BranchInConflict,
  BranchNameTaken,
  BranchNotApproved,
  BranchNotFound,
  BranchNotMerged,
  BranchNotOpen,
  BranchScopeUnknown,
  BranchValueTaken,
} from './branch-errors.ts'
import type { NamespacePlace } from './inventory.ts'
import type { InventoryLists } from './inventory-lists.ts'
import type { InventoryWrites } from './inventory-writes.ts'
import type { ListedPage, Page } from './runs.ts'
import type { ExpectedVersions, StoreFailed, VersionChanged } from './store-failed.ts'

/** A branch as an inventory: the lists and writes of main, applied in the branch. */
export interface BranchInventory {
  readonly lists: InventoryLists['Type']
  readonly writes: InventoryWrites['Type']
}

/**
 * A group as an open branch of a sync holds it, whose rows in main are as they were when it was staged: while its
 * frame has the same digest, its changes are those that wait.
 */
export interface WaitingGroup {
  readonly branch: number
  readonly key: NaturalKey<'group'>
  /** Digest of the frame that it was staged from. */
  readonly digest: string
  /** Snapshots that frame had. */
  readonly listed: number
  /** Changes of its snapshots that wait. */
  readonly snapshots: Pick<RowCounts, 'created' | 'updated' | 'deleted'>
  /** Changes that wait of the group or its snapshots. */
  readonly changes: number
}

/** Filters of branches, by `branchFields` and more; a branch must match all of them. */
export interface BranchFilter extends RecordQuery {
  readonly statuses?: ReadonlyArray<BranchStatus>
  readonly names?: ReadonlyArray<string>
  /** A text in name, description or user, in upper or lower case. */
  readonly search?: string
  /** Those that belong to this run, or that it was the last to stage into. */
  readonly stagedBy?: number
}

/** Filters of a branch's changes, by `branchChangeFields` and more; a change must match all of them. */
export interface BranchChangeFilter extends Pick<RecordQuery, 'where'> {
  readonly models?: ReadonlyArray<ModelName>
  readonly actions?: ReadonlyArray<BranchChange['action']>
  readonly objectIds?: ReadonlyArray<number>
  /** A text in the natural key, as `title` has it, in upper or lower case. */
  readonly search?: string
}

/** Filters of conflicts; a conflict must match all of them. */
export interface ConflictFilter {
  readonly ids?: ReadonlyArray<number>
  readonly kinds?: ReadonlyArray<ConflictKind>
  readonly models?: ReadonlyArray<ModelName>
  readonly fields?: ReadonlyArray<string>
  /** Keys of scopes, as conflicts give them. */
  readonly scopes?: ReadonlyArray<string>
  readonly resolved?: boolean
}

/** The effect of a merge, or of its dry run. */
export interface MergeOutcome {
  readonly branch: Branch
  readonly counts: Pick<RowCounts, 'created' | 'updated' | 'deleted'>
  /** Objects left out, as the resolutions of their conflicts say. */
  readonly skipped: number
}

/** The author of a change to a branch, for the change log; left out: no request caused it. */
interface Requested {
  readonly by?: Author | undefined
}

type BranchUnavailable = BranchNotFound | BranchNotOpen

/** Why a branch was not merged. */
export type MergeRefused =
  | BranchUnavailable
  | BranchInConflict
  | BranchNotApproved
  | BranchScopeUnknown
  | BranchValueTaken

/** Branches: change sets that are kept waiting for review. */
export class Branches extends Context.Tag('@netbox-pbs/core/Branches')<
  Branches,
  {
    /** A run opens one branch: a second one of the same run fails as one whose name is taken does. */
    readonly create: (
      request: Requested & {
        readonly name: string
        readonly kind: BranchKind
        readonly description: string
        readonly user: string
        readonly runId: number | null
        /** Requires manual approval even without conflicts. */
        readonly review: boolean
      },
    ) => Effect.Effect<Branch, StoreFailed | BranchNameTaken>
    readonly get: (request: { readonly id: number }) => Effect.Effect<Option.Option<Branch>, StoreFailed>
    /** The branch with these 8 characters as its identifier. */
    readonly bySchemaId: (request: { readonly schemaId: string }) => Effect.Effect<Option.Option<Branch>, StoreFailed>
    /**
     * Reads and writes in a branch. The caller checks whether it may be read; a write to a closed branch
     * or to a run's branch fails.
     */
    readonly overlay: (request: { readonly id: number }) => BranchInventory
    /**
     * The branch that a run has opened to stage all its scopes in; not one that it opened only for
     * scopes set to review.
     */
    readonly ofRun: (request: { readonly runId: number }) => Effect.Effect<Option.Option<Branch>, StoreFailed>
    /**
     * The groups of a namespace whose changes wait in the open branch of a sync that covers it. A group is
     * left out when its rows in main have changed since it was staged, when rows of it are missing, or when
     * a finished backup of it changed (the run warns of each): those are to be compared again.
     */
    readonly waitingGroups: (request: {
      readonly serverId: number
      readonly datastore: string
      readonly namespace: string
    }) => Stream.Stream<WaitingGroup, StoreFailed>
    /** The namespaces of a server whose snapshots an open branch of a sync covers. */
    readonly coveredNamespaces: (request: {
      readonly serverId: number
    }) => Effect.Effect<ReadonlyArray<NamespacePlace>, StoreFailed>
    /** Newest first, unless asked otherwise. */
    readonly list: (request: BranchFilter & RecordPage) => Effect.Effect<ListedPage<Branch>, StoreFailed>
    /** Changes the name or the description of a branch in any state. */
    readonly update: (
      request: Requested & {
        readonly id: number
        readonly name?: string
        readonly description?: string
        readonly versions?: ExpectedVersions
      },
    ) => Effect.Effect<Branch, StoreFailed | BranchNotFound | BranchNameTaken | VersionChanged>
    /** The changes of the branch, by model and id. */
    readonly changes: (request: {
      readonly id: number
      readonly filter?: BranchChangeFilter
      readonly limit: number
      readonly offset: number
    }) => Effect.Effect<Page<BranchChange>, StoreFailed>
    /** Its conflicts, as they were when it was last compared with main. */
    readonly conflicts: (
      request: RecordPage & { readonly id: number; readonly filter: ConflictFilter },
    ) => Effect.Effect<ListedPage<BranchConflict>, StoreFailed>
    /**
     * Compares the branch with main as it is now. A resolution stays valid while the values it was given
     * for are the same.
     */
    readonly check: (request: { readonly id: number }) => Effect.Effect<Branch, StoreFailed | BranchUnavailable>
    /** Resolves conflicts, or removes their resolutions (null). Returns how many. */
    readonly resolve: (
      request: Requested & {
        readonly id: number
        readonly filter: ConflictFilter
        readonly resolution: Resolution | null
        readonly user: string
      },
    ) => Effect.Effect<number, StoreFailed | BranchUnavailable>
    /** Lands the branch in main in one transaction; without `commit` it is a dry run. */
    readonly merge: (request: {
      readonly id: number
      readonly commit: boolean
      readonly by: Author
      /** RFC 3339. */
      readonly at: string
      /** Fails with `BranchNotApproved` unless the present revision is approved. */
      readonly approval: boolean
    }) => Effect.Effect<MergeOutcome, StoreFailed | MergeRefused>
    /** Approves a revision of a branch. */
    readonly approve: (
      request: Requested & {
        readonly id: number
        readonly revision: number
        readonly user: string
        /** RFC 3339. */
        readonly at: string
      },
    ) => Effect.Effect<Branch, StoreFailed | BranchUnavailable | ApprovalNotAllowed>
    /**
     * Rebases a branch on main: the base of the touched fields becomes main's present value, resolutions are
     * applied, and the branch is compared with main again. Open conflicts prevent it; without `commit` it
     * is a dry run.
     */
    readonly sync: (
      request: Requested & {
        readonly id: number
        readonly commit: boolean
      },
    ) => Effect.Effect<Branch, StoreFailed | BranchUnavailable | BranchInConflict>
    /**
     * Opens a branch that reverts a merged one and is compared with main; without `commit` it is a
     * dry run. After its merge, the next run of each scope that it touches waits for review.
     */
    readonly revert: (
      request: Requested & {
        readonly id: number
        readonly name: string
        readonly user: string
        readonly commit: boolean
      },
    ) => Effect.Effect<Branch, StoreFailed | BranchNotFound | BranchNotMerged | BranchNameTaken>
    /** Ends an open branch without merging it and drops its entries. */
    readonly close: (
      request: Requested & {
        readonly id: number
        readonly status: ClosedBranchStatus
      },
    ) => Effect.Effect<Branch, StoreFailed | BranchUnavailable>
  }
>() {}
