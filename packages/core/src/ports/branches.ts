import { Context, type Effect, type Option } from 'effect'
import type { Branch, BranchChange, BranchConflict, BranchKind, BranchStatus } from '../branch.ts'
import type { Author } from '../change-log.ts'
import type { ConflictKind, Resolution } from '../merge/conflict.ts'
import type { ModelName } from '../registry/field.ts'
import type { RowCounts } from '../run.ts'
import type {
  ApprovalNotAllowed,
  BranchInConflict,
  BranchNameTaken,
  BranchNotApproved,
  BranchNotFound,
  BranchNotMerged,
  BranchNotOpen,
  BranchScopeUnknown,
} from './branch-errors.ts'
import type { InventoryLists } from './inventory-lists.ts'
import type { InventoryWrites } from './inventory-writes.ts'
import type { Page } from './runs.ts'
import type { StoreFailed } from './store-failed.ts'
import type { ExpectedVersions, VersionChanged } from './version-changed.ts'

/** A branch as an inventory: what main's lists and writes do, done inside it. */
export interface BranchInventory {
  readonly lists: InventoryLists['Type']
  readonly writes: InventoryWrites['Type']
}

/** Which branches: those that match all that is given. */
export interface BranchFilter {
  readonly statuses?: ReadonlyArray<BranchStatus>
  readonly kinds?: ReadonlyArray<BranchKind>
  readonly names?: ReadonlyArray<string>
  readonly schemaIds?: ReadonlyArray<string>
  /** Who made them. */
  readonly users?: ReadonlyArray<string>
  /** A text in name, description or user, in upper or lower case. */
  readonly search?: string
  /** Those that belong to this run, or that it was the last to stage into. */
  readonly stagedBy?: number
}

/** Which changes of a branch: those that match all that is given. */
export interface BranchChangeFilter {
  readonly models?: ReadonlyArray<ModelName>
  readonly actions?: ReadonlyArray<BranchChange['action']>
  readonly objectIds?: ReadonlyArray<number>
  /** A text in the natural key, as `title` has it, in upper or lower case. */
  readonly search?: string
}

/** Which conflicts: those that match all that is given. */
export interface ConflictFilter {
  readonly ids?: ReadonlyArray<number>
  readonly kinds?: ReadonlyArray<ConflictKind>
  readonly models?: ReadonlyArray<ModelName>
  readonly fields?: ReadonlyArray<string>
  /** Keys of scopes, as conflicts give them. */
  readonly scopes?: ReadonlyArray<string>
  readonly resolved?: boolean
}

/** What a merge did, or of a dry run would have done. */
export interface MergeOutcome {
  readonly branch: Branch
  readonly counts: Pick<RowCounts, 'created' | 'updated' | 'deleted'>
  /** Objects left out, as their conflicts say. */
  readonly skipped: number
}

/** Who asks for a step in a branch's life, for the change log; left out: nobody did. */
interface Requested {
  readonly by?: Author | undefined
}

type BranchUnavailable = BranchNotFound | BranchNotOpen

/** Branches: change sets that are kept waiting for review. */
export class Branches extends Context.Tag('@netbox-pbs/core/Branches')<
  Branches,
  {
    readonly create: (
      request: Requested & {
        readonly name: string
        readonly kind: BranchKind
        readonly description: string
        readonly user: string
        readonly runId: number | null
        /** A person merges it even when nothing stands against that. */
        readonly review: boolean
      },
    ) => Effect.Effect<Branch, StoreFailed | BranchNameTaken>
    readonly get: (request: { readonly id: number }) => Effect.Effect<Option.Option<Branch>, StoreFailed>
    /** The branch that clients name by these 8 characters. */
    readonly bySchemaId: (request: { readonly schemaId: string }) => Effect.Effect<Option.Option<Branch>, StoreFailed>
    /** Reads and writes in a branch. Whether it may be read is the caller's question; a write to one that has ended, or to the branch of a run, fails. */
    readonly overlay: (request: { readonly id: number }) => BranchInventory
    /** The branch that a run has opened to stage all its scopes in; not one that it opened only for scopes set to review. */
    readonly ofRun: (request: { readonly runId: number }) => Effect.Effect<Option.Option<Branch>, StoreFailed>
    /** Newest first, unless the oldest are asked for first. */
    readonly list: (
      request: BranchFilter & {
        readonly oldestFirst?: boolean
        readonly limit: number
        readonly offset: number
      },
    ) => Effect.Effect<Page<Branch>, StoreFailed>
    /** Changes the name or the description of a branch, whatever its state. */
    readonly update: (
      request: Requested & {
        readonly id: number
        readonly name?: string
        readonly description?: string
        readonly versions?: ExpectedVersions
      },
    ) => Effect.Effect<Branch, StoreFailed | BranchNotFound | BranchNameTaken | VersionChanged>
    /** What the branch changes, by model and id. */
    readonly changes: (request: {
      readonly id: number
      readonly filter?: BranchChangeFilter
      readonly limit: number
      readonly offset: number
    }) => Effect.Effect<Page<BranchChange>, StoreFailed>
    /** Its conflicts, as they were when it was last compared with main. */
    readonly conflicts: (request: {
      readonly id: number
      readonly filter: ConflictFilter
      readonly limit: number
      readonly offset: number
    }) => Effect.Effect<Page<BranchConflict>, StoreFailed>
    /** Compares the branch with main as it is now. An answer stays with its conflict while the values that it was given on are the same. */
    readonly check: (request: { readonly id: number }) => Effect.Effect<Branch, StoreFailed | BranchUnavailable>
    /** Answers conflicts, or takes the answer back (null). Gives how many. */
    readonly resolve: (
      request: Requested & {
        readonly id: number
        readonly filter: ConflictFilter
        readonly resolution: Resolution | null
        readonly user: string
      },
    ) => Effect.Effect<number, StoreFailed | BranchUnavailable>
    /** Lands the branch in main in one transaction, or without `commit` does the same and takes it back. */
    readonly merge: (request: {
      readonly id: number
      readonly commit: boolean
      readonly by: Author
      /** RFC 3339. */
      readonly at: string
      /** HttpError unless somebody has approved what it holds now. */
      readonly approval: boolean
    }) => Effect.Effect<
      MergeOutcome,
      StoreFailed | BranchUnavailable | BranchInConflict | BranchNotApproved | BranchScopeUnknown
    >
    /** Says that what a branch holds at a revision may land. */
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
     * Moves a branch onto main as it is now: the base of what it touches becomes main's present value, answered conflicts are settled in it as they were answered,
     * and it is compared anew. An open conflict stands against it. Copies nothing of main. Without `commit` it is done and taken back.
     */
    readonly sync: (
      request: Requested & {
        readonly id: number
        readonly commit: boolean
      },
    ) => Effect.Effect<Branch, StoreFailed | BranchUnavailable | BranchInConflict>
    /**
     * Opens a branch of what undoes a merged one, compared with main already. When it is merged, the next run of each scope that it touches waits for review. Without
     * `commit` it is done and taken back.
     */
    readonly revert: (
      request: Requested & {
        readonly id: number
        readonly name: string
        readonly user: string
        readonly commit: boolean
      },
    ) => Effect.Effect<Branch, StoreFailed | BranchNotFound | BranchNotMerged | BranchNameTaken>
    /** Ends an open branch without merging it; what it held is dropped. */
    readonly close: (
      request: Requested & {
        readonly id: number
        readonly status: 'closed' | 'no_changes' | 'superseded'
      },
    ) => Effect.Effect<Branch, StoreFailed | BranchUnavailable>
  }
>() {}
