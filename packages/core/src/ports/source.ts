import { Context, Data, type Effect, type Stream } from 'effect'
import type { Facts, Observations } from '../registry/registry.ts'
import type { RequestCost } from '../request-cost.ts'
import type { Resource, Scope, ServerScope } from '../scope.ts'
import type { ScopeFilter } from '../scope-filter.ts'
import type { SourceRow } from '../sync/diff.ts'
import type { DatastoreObservation } from './change-sets.ts'

/**
 * Why a source could not list a scope. The codes of the `failed` frame; `cut_off` is a stream
 * without its `end`, `summaries_only` a proxbox-api that returns counts.
 */
export type SourceErrorCode =
  | 'unreachable'
  | 'tls_fingerprint_mismatch'
  | 'tls_untrusted'
  | 'unauthorized'
  | 'forbidden'
  | 'maintenance'
  | 'not_mounted'
  | 'timeout'
  | 'protocol'
  | 'request_limit'
  | 'cut_off'
  | 'summaries_only'

/**
 * The source itself failed: only complete scopes of this stream count. `message` tells the operator
 * the next step.
 */
export class SourceFailed extends Data.TaggedError('SourceFailed')<{
  readonly code: SourceErrorCode
  readonly message: string
  readonly retryable: boolean
  readonly cause?: unknown
}> {}

/** A request to list scopes. A filter chooses scopes, never part of one. */
export interface SourceRequest extends ScopeFilter {
  readonly resource: Resource
  /** Names; omitted: every enabled endpoint. */
  readonly servers?: ReadonlyArray<string>
  /** Only tasks that started then or later, in epoch seconds; omitted: all that the source still has. */
  readonly since?: number
  /**
   * Identifies the run, so that the source does not repeat a list that hung in it; omitted: the request
   * is not part of a run.
   */
  readonly run?: string
  /**
   * After so many requests to a server no scope of it is begun: it fails with `request_limit`. Left out: no limit. Not
   * for the list of servers.
   */
  readonly most_requests?: number
  /**
   * Of snapshots: list digests of groups that need not be read again (see `SourceGroup`). A group whose row has one of
   * them is named by an `unchanged_group`; all others are read. Left out: every group is read.
   */
  readonly known_groups?: ReadonlyArray<string>
  /**
   * Of snapshots: digests of group frames that need not be sent again, each as `shortDigest` gives it. A group whose frame
   * has one of them is named by an `unchanged_frame`. Left out: every frame that is read is sent.
   */
  readonly known_frames?: ReadonlyArray<string>
}

/** A server as the gateway knows it. `version` and `timezone` are null when it did not answer. */
export type SourceServer = Omit<Facts<'server'>, 'version' | 'timezone' | 'endpoint_state' | 'endpoint_id'> & {
  readonly endpoint_id: number
  readonly version: string | null
  readonly timezone: string | null
}

/** Outcome of the source's own contact with a server. */
export interface ServerContact {
  readonly status: string
  /** RFC 3339; null when it did not answer. */
  readonly last_seen_at: string | null
  /** Duration of the smallest request in milliseconds; left out where the source does not measure it. */
  readonly latency_ms?: number | undefined
  /** How far its clock is ahead, or behind where negative; left out where the source does not know. */
  readonly clock_offset_seconds?: number | undefined
  /** Its certificate is checked against a pin or a chain; left out where the source does not say. */
  readonly tls_checked?: boolean | undefined
  /** Why it could not be used; left out when it answered, and by sources that do not say. */
  readonly error?: ServerFailure | undefined
}

/** Why a server could not be used. */
export interface ServerFailure {
  readonly code: SourceErrorCode
  readonly message: string
  /** SHA-256 of the certificate it showed, lower case hex with colons, where that was refused. */
  readonly presented_fingerprint?: string | undefined
}

/** A group and all its snapshots, newest first. Snapshots leave out the key of the group. */
export interface SourceGroup {
  readonly facts: SourceRow<'group'>
  readonly snapshots: ReadonlyArray<SourceRow<'snapshot'>>
  /**
   * Digest of the row that the list of groups has of it (count, newest backup, owner, comment, files of the newest);
   * null: its snapshots are to be read whatever the row says.
   */
  readonly listDigest: string | null
}

/**
 * One frame of a source's stream. Between `scope` and `complete` or `failed` of a server, its
 * frames belong to that scope.
 */
export type SourceFrame =
  | { readonly _tag: 'scope'; readonly scope: Scope }
  | {
      readonly _tag: 'server'
      readonly facts: SourceServer
      readonly observed: ServerContact
    }
  | {
      readonly _tag: 'datastore'
      readonly server: string
      readonly facts: SourceRow<'datastore'>
      readonly observed: DatastoreObservation
    }
  | { readonly _tag: 'namespace'; readonly server: string; readonly facts: SourceRow<'namespace'> }
  | {
      readonly _tag: 'job'
      readonly server: string
      readonly facts: SourceRow<'job'>
      readonly observed: Observations<'job'>
    }
  | {
      readonly _tag: 'task'
      readonly server: string
      readonly facts: SourceRow<'task'>
      readonly observed: Observations<'task'>
    }
  | {
      readonly _tag: 'group'
      readonly server: string
      /** SHA-256 of the raw frame, hex: equal facts are equal bytes. */
      readonly digest: string
      /** Parses the raw frame; call it only when the digest is new. */
      readonly parse: Effect.Effect<SourceGroup, SourceFailed>
    }
  | {
      /** A group whose snapshots were not read, because the request knew its list digest. */
      readonly _tag: 'unchanged_group'
      readonly server: string
      readonly listDigest: string
    }
  | {
      /** A group that was read, and whose frame the request knew by its digest. */
      readonly _tag: 'unchanged_frame'
      readonly server: string
      readonly backupType: string
      readonly backupId: string
      /** As the request named it. */
      readonly digest: string
      /** Snapshots that it holds. */
      readonly count: number
    }
  | {
      readonly _tag: 'complete'
      readonly scope: Scope
      /** Rows of the model: snapshots, not groups. */
      readonly count: number
      /** Hash of the caller's privileges that bear on the scope; null where the source has none. */
      readonly visibility: string | null
      /**
       * How many rows or groups of the scope exist and could not be read: while it is not 0, absence is not a fact.
       * Left out by a source that leaves out none.
       */
      readonly leftOut?: number | undefined
    }
  | {
      readonly _tag: 'failed'
      readonly scope: Scope
      readonly code: SourceErrorCode
      readonly message: string
      readonly retryable: boolean
      /**
       * The server answered a request after this failure, so only this list fails. Left out where it did not, and
       * by sources that do not say: then sync tests the server.
       */
      readonly serverAnswers?: boolean | undefined
      /** As in {@link ServerFailure}. */
      readonly presentedFingerprint?: string | undefined
    }
  | { readonly _tag: 'warning'; readonly scope: ServerScope | Scope; readonly code: string; readonly message: string }
  | {
      readonly _tag: 'end'
      /** What servers were asked since they were last told; left out by sources that do not count. */
      readonly costs?: ReadonlyArray<SourceCost> | undefined
    }

/** What one server was asked, by its name at the source. */
export interface SourceCost extends RequestCost {
  readonly server: string
  /** The run that asked, as its requests named it; left out: none. */
  readonly run?: string | undefined
}

/** Where facts come from: the gateway, or a proxbox-api. */
export class Source extends Context.Tag('@netbox-pbs/core/Source')<
  Source,
  {
    /**
     * The frames of one request, with backpressure: the source reads no further than the stream is
     * pulled. `end` is the last frame of a whole stream; one cut off fails.
     */
    readonly frames: (request: SourceRequest) => Stream.Stream<SourceFrame, SourceFailed>
  }
>() {}
