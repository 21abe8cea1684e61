import type { GuardSettings, ScopeFilter, ScopeOutcome } from '@netbox-pbs/core'
import type {
  Branches,
  BranchNameTaken,
  BranchNotOpen,
  ChangeSetClosed,
  ChangeSets,
  Inventory,
  RequestCosts,
  Runs,
  ServerRenamed,
  SettingsStore,
  SourceErrorCode,
  StoreFailed,
  WaitingChangesGone,
} from '@netbox-pbs/core/ports'
import { Data, type Effect } from 'effect'
import type { RowFrame } from './read-step.ts'

/** The context that the scopes of one job share. */
export interface Job {
  readonly runId: number
  /** The job's server by id; null for the gateway's job. */
  readonly serverId: number | null
  /** The name by which the source is asked for it; null for the gateway's job. */
  readonly server: string | null
  /** Names of the servers that the run is about; null: all. */
  readonly servers: ReadonlyArray<string> | null
  readonly changeSet: number
  /** The branch that scopes are staged in; null: they land at once. */
  readonly branch: number | null
  readonly guard: GuardSettings
  /** A schedule has started the run, and no user. */
  readonly scheduled: boolean
  /** Requests to a server that the settings allow on a day; 0: no ceiling. */
  readonly requestsPerDay: number
  /** Days; 0 keeps all tasks. */
  readonly taskRetentionDays: number
  /** It reads the snapshots of changed groups only, as far as the others were read lately. */
  readonly light: boolean
  /** Which scopes of its resources the job covers; null: all. */
  readonly scope_filter: ScopeFilter | null
}

/** The job of one server that main has. */
export interface ServerJob extends Job {
  readonly server: string
  readonly serverId: number
}

/** Whether a job is that of a server. */
export const isServerJob = (job: Job | ServerJob): job is ServerJob => job.serverId !== null && job.server !== null

/** The reasons that stop a job at once. */
export type JobStopped =
  | StoreFailed
  | ChangeSetClosed
  | BranchNotOpen
  | BranchNameTaken
  | ServerRenamed
  | WaitingChangesGone

/** The ports that a scope is landed with, or staged in a branch. */
export type LandingPorts = Branches | ChangeSets | Runs | SettingsStore

/** The ports that scopes are read and landed with. */
export type ScopePorts = Inventory | LandingPorts | RequestCosts

/** The end of a scope's list, as its source states it. */
export interface Completed {
  /** Rows the source says it listed. */
  readonly count: number
  readonly visibility: string | null
  /**
   * Rows that exist and that the source could not read: unless it is 0, rows that the list lacks
   * are not judged.
   */
  readonly leftOut: number
}

/** An open scope: it takes the rows of a list one by one and lands them when the list is complete. */
export interface ScopeWork {
  /** Rows listed so far. */
  readonly listed: number
  /**
   * Null when nothing is left to do, as with most frames: a step of Effect costs more than a look
   * at an unchanged group.
   */
  readonly row: (frame: RowFrame) => Effect.Effect<void, ScopeBroken | JobStopped, ScopePorts> | null
  readonly complete: (completed: Completed) => Effect.Effect<ScopeOutcome, ScopeBroken | JobStopped, ScopePorts>
}

/**
 * The source's frames of a scope are contradictory or unreadable. That scope fails and does not
 * land; the others go on.
 */
export class ScopeBroken extends Data.TaggedError('ScopeBroken')<{
  readonly code: SourceErrorCode
  readonly message: string
}> {}

/** A breach of the contract; the message names the source's mistake. */
export const breach = (message: string): ScopeBroken => new ScopeBroken({ code: 'protocol', message })
