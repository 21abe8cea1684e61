import type { Facts, Observations, Scope, UsagePoint } from '@netbox-pbs/core'
import type { FailedCode } from './failed-codes.ts'
import type { SyncItem } from './summaries.ts'

type OnTheWire<F> = { readonly [K in keyof F as K extends 'datastore_name' ? 'datastore' : K]: F[K] } & {
  readonly server: string
}
/** What a row may add to its facts. */
export interface Unknown {
  /**
   * Facts that cannot be told now, by their column: a field of PBS's row was odd, or a manifest could not be read. What
   * stands in for them in the frame says nothing. Left out when there is none.
   */
  readonly unknown?: ReadonlyArray<string> | undefined
}
type RowFacts<M extends 'datastore' | 'namespace' | 'group' | 'job' | 'task'> = OnTheWire<Omit<Facts<M>, 'server'>> &
  Unknown

/** Why a server or a scope of it could not be read. */
export interface ConnectionFailure {
  readonly code: FailedCode
  readonly message: string
  /** SHA-256 of the certificate that was shown, lower case hex with colons, where that was refused. */
  readonly presented_fingerprint?: string | undefined
}

/** What follows for this server belongs to this scope, until `complete` or `failed`. */
export type ScopeFrame = { readonly frame: 'scope' } & Scope

/** One endpoint of the gateway. `server` and `name` are the same; `version` and `timezone` are null when it did not answer. */
export type ServerFrame = { readonly frame: 'server'; readonly server: string } & Omit<
  Facts<'server'>,
  'endpoint_id' | 'endpoint_state' | 'version' | 'timezone'
> & {
    readonly endpoint_id: number
    readonly version: string | null
    readonly timezone: string | null
    readonly observed: {
      readonly status: string
      /** Null when it did not answer. */
      readonly last_seen_at: string | null
      /** How long it took to say its version, in milliseconds. Left out by gateways that do not measure it. */
      readonly latency_ms?: number | undefined
      /** Whether a pin or a chain is asked of it. */
      readonly tls_checked?: boolean | undefined
      /** Why it could not be used. */
      readonly error?: ConnectionFailure | undefined
    }
  }

/** One datastore. */
export type DatastoreFrame = { readonly frame: 'datastore' } & RowFacts<'datastore'> & {
    readonly observed: Observations<'datastore'> & {
      /** How full it was, oldest first, at most `mostUsagePoints`. Left out where PBS keeps no history. */
      readonly usage?: ReadonlyArray<UsagePoint> | undefined
    }
  }

/** One namespace; the root is the empty path. */
export type NamespaceFrame = { readonly frame: 'namespace' } & RowFacts<'namespace'>

/** One job. */
export type JobFrame = { readonly frame: 'job' } & RowFacts<'job'> & { readonly observed: Observations<'job'> }

/** One task. It may be in a later stream again: how it ended comes after its start. */
export type TaskFrame = { readonly frame: 'task' } & RowFacts<'task'> & { readonly observed: Observations<'task'> }

/** A snapshot inside its group's frame, without the keys it shares with the group. */
export type GroupSnapshot = Omit<
  Facts<'snapshot'>,
  'server' | 'datastore_name' | 'namespace' | 'backup_type' | 'backup_id'
> &
  Unknown

/** A group and all its snapshots, newest first. It carries no observations: equal facts are equal bytes. */
export type GroupFrame = { readonly frame: 'group' } & RowFacts<'group'> & {
    /** How many of its snapshots could not be read. Equal facts are equal bytes only where the list was whole; left out when it was. */
    readonly left_out?: number | undefined
    readonly snapshots: ReadonlyArray<GroupSnapshot>
  }

/** The scope was listed to its end: absence is now a fact, unless rows were left out. */
export type CompleteFrame = { readonly frame: 'complete' } & Scope & {
    /** Rows of the model: snapshots, not groups. */
    readonly count: number
    /** Hash of the caller's privileges that bear on the scope; null where there is none. */
    readonly visibility: string | null
    /**
     * How many rows or groups of the scope exist and could not be read: while it is not 0, absence is not a fact. A
     * `warning` with code `row_unreadable` names each. Left out when it is 0.
     */
    readonly left_out?: number | undefined
  }

/** This scope, and all below it, say nothing. */
export type FailedFrame = { readonly frame: 'failed' } & Scope & {
    readonly error: ConnectionFailure
    readonly retryable: boolean
    /**
     * The server answered a request after this failed by `timeout`, `unreachable` or `unauthorized`: the trouble is that of
     * this list, and the others are worth asking for. Left out where it did not, and with any other code.
     */
    readonly server_answers?: boolean | undefined
  }

/** Something of the scope that an operator should know: hidden rows, a row that cannot be read, an unknown value, an integer beyond 2^53-1. */
export type WarningFrame = { readonly frame: 'warning' } & Scope & { readonly code: string; readonly message: string }

/** Always last: a stream without it was cut off. */
export type EndFrame = { readonly frame: 'end'; readonly items: ReadonlyArray<SyncItem> }

/** One line of a sync stream. */
export type Frame =
  | ScopeFrame
  | ServerFrame
  | DatastoreFrame
  | NamespaceFrame
  | JobFrame
  | TaskFrame
  | GroupFrame
  | CompleteFrame
  | FailedFrame
  | WarningFrame
  | EndFrame

/** What a frame can be. */
export type FrameName = Frame['frame']
