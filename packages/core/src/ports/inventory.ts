import { Context, type Effect, type Option, type Stream } from 'effect'
import type { ServerHealth } from '../health/server-health.ts'
import type { Observations } from '../registry/registry.ts'
import type { Scope } from '../scope.ts'
import type { ScopeFilter } from '../scope-filter.ts'
import type { MainRow } from '../sync/diff.ts'
import type { HeldDeletionsState } from '../sync/judge-deletions.ts'
import type { TaskMarks } from '../sync/task-window.ts'
import type { ServerTiming } from '../timing.ts'
import type { StoreFailed } from './store-failed.ts'

/** A server of main, with the fields that reconciling it needs. */
export interface ServerRow extends MainRow<'server'> {
  /** RFC 3339; when `endpoint_state` became pending, else null. */
  readonly pendingSince: string | null
  readonly timing: ServerTiming
  /** Null or `neverContacted`: before its first contact. */
  readonly health: ServerHealth | null
}

/**
 * State of a scope after its last landed complete list. Before the first one visibility and time are
 * null and there are no rows.
 */
export interface ScopeState {
  readonly visibility: string | null
  /** RFC 3339. */
  readonly lastCompleteAt: string | null
  /** Rows listed or missing: those that a sync may delete. */
  readonly rows: number
  /** Rows of them that are held as missing. */
  readonly held: number
  /** The scope's held deletions; null: none of its deletions is held back. */
  readonly set: HeldDeletionsState | null
}

/**
 * A group of main, as the sync of its scope needs it: enough to see that a frame is unchanged
 * without reading a snapshot.
 */
export interface KnownGroup extends MainRow<'group'> {
  /** Digest of its last landed frame; null when it is not valid: another registry version, or an edit since. */
  readonly digest: string | null
  /** Snapshots that frame had. */
  readonly listed: number
  /** As in `SourceGroup`, of its last landed frame, whether `digest` is valid or not. */
  readonly listDigest: string | null
}

/** A namespace of a server; the root is the empty text. */
export interface NamespacePlace {
  readonly datastore: string
  readonly namespace: string
}

/**
 * Which groups a light run need not read: those of namespaces that were last listed in full at `fullSince`
 * (RFC 3339) or later and are none of `except`, unless a task that may change snapshots has ended in their datastore since.
 */
export interface LightList {
  readonly fullSince: string
  readonly except: ReadonlyArray<NamespacePlace>
}

/** By what a group is named as known: its row in the list of groups, or its frame (see `shortDigest`). */
export interface KnownDigest {
  readonly of: 'list' | 'frame'
  readonly digest: string
}

/** A task of main, with its last known end. */
export interface KnownTask extends MainRow<'task'> {
  readonly observed: Observations<'task'>
}

/** The reads of main that sync needs. */
export class Inventory extends Context.Tag('@netbox-pbs/core/Inventory')<
  Inventory,
  {
    /** Every server, by name. */
    readonly servers: () => Stream.Stream<ServerRow, StoreFailed>
    /** The server of an id; none: main has no such server. */
    readonly server: (request: { readonly id: number }) => Effect.Effect<Option.Option<ServerRow>, StoreFailed>
    /** The name that a server has, or had last before it was deleted; none: no server ever had this id. */
    readonly serverName: (request: { readonly id: number }) => Effect.Effect<Option.Option<string>, StoreFailed>
    readonly scopeState: (scope: Scope) => Effect.Effect<ScopeState, StoreFailed>
    readonly datastores: (request: { readonly serverId: number }) => Stream.Stream<MainRow<'datastore'>, StoreFailed>
    readonly namespaces: (request: {
      readonly serverId: number
      readonly datastore: string
    }) => Stream.Stream<MainRow<'namespace'>, StoreFailed>
    readonly jobs: (request: {
      readonly serverId: number
      readonly jobType: string
    }) => Stream.Stream<MainRow<'job'>, StoreFailed>
    /** The groups of one namespace. */
    readonly groups: (request: {
      readonly serverId: number
      readonly datastore: string
      readonly namespace: string
    }) => Stream.Stream<KnownGroup, StoreFailed>
    /**
     * What a request for the snapshots of a server may name as known, group by group: of those whose last
     * frame main has, its digest; in a light run the list digest in its place, where the group need not be read.
     */
    readonly knownGroups: (request: {
      readonly serverId: number
      /** The scopes that are requested; null: all of the server. */
      readonly filter: ScopeFilter | null
      /** Null: a full run, which reads every group. */
      readonly light: LightList | null
    }) => Stream.Stream<KnownDigest, StoreFailed>
    /** The snapshots of some groups, by their ids, in no order. */
    readonly snapshots: (request: {
      readonly groupIds: ReadonlyArray<number>
    }) => Stream.Stream<MainRow<'snapshot'>, StoreFailed>
    /** The tasks of a server with these UPIDs, in no order; those that main lacks are left out. */
    readonly tasks: (request: {
      readonly serverId: number
      readonly upids: ReadonlyArray<string>
    }) => Stream.Stream<KnownTask, StoreFailed>
    /** The tasks of a server that main believes to be running. */
    readonly runningTasks: (request: { readonly serverId: number }) => Stream.Stream<KnownTask, StoreFailed>
    readonly taskMarks: (request: { readonly serverId: number }) => Effect.Effect<TaskMarks, StoreFailed>
    /** The names of a server's datastores that rows of main are in, whether main has a row of the datastore or not. */
    readonly datastoresInUse: (request: { readonly serverId: number }) => Stream.Stream<string, StoreFailed>
    /**
     * The namespaces of a datastore that hold groups or snapshots in main, whether main has a row of
     * the namespace or not.
     */
    readonly namespacesInUse: (request: {
      readonly serverId: number
      readonly datastore: string
    }) => Stream.Stream<string, StoreFailed>
  }
>() {}
