import type { RequestCost } from './request-cost.ts'
import type { Resource, Scope, ScopeOutcome } from './scope.ts'
import type { ScopeFilter } from './scope-filter.ts'
import type { RunStatus } from './status.ts'

/** The triggers of runs. */
export const runTriggers = ['manual', 'schedule', 'system'] as const

/** The trigger of a run. */
export type RunTrigger = (typeof runTriggers)[number]

/**
 * How a run lists snapshots. `full`: it reads those of every group. `light`: it lists the groups, and reads those that
 * their list shows as changed and those that are due for a full list.
 */
export const runModes = ['full', 'light'] as const

/** One of `runModes`. */
export type RunMode = (typeof runModes)[number]

/** Rows of a scope, or of all scopes of a run. */
export interface RowCounts {
  readonly created: number
  readonly updated: number
  readonly deleted: number
  readonly unchanged: number
  readonly held_back: number
}

/** Changes of a run that wait in a branch. */
export type StagedCounts = Pick<RowCounts, 'created' | 'updated' | 'deleted'>

/** How many changes wait in a branch, of any kind. */
export const stagedChanges = ({ created, updated, deleted }: StagedCounts): number => created + updated + deleted

/** No rows. */
export const noRows: RowCounts = { created: 0, updated: 0, deleted: 0, unchanged: 0, held_back: 0 }

/** The sum of two counts. */
export function addRows(a: RowCounts, b: RowCounts): RowCounts {
  return {
    created: a.created + b.created,
    updated: a.updated + b.updated,
    deleted: a.deleted + b.deleted,
    unchanged: a.unchanged + b.unchanged,
    held_back: a.held_back + b.held_back,
  }
}

/** Why a scope ended as it did; `code` is one of the contract's codes, a hold reason, or ours. */
export interface Reason {
  readonly code: string
  readonly message: string
}

/** A scope of a run that has ended. */
export interface ScopeResult {
  readonly scope: Scope
  readonly outcome: ScopeOutcome
  readonly reason: Reason | null
  readonly counts: RowCounts
  /** RFC 3339. */
  readonly started: string
  readonly ended: string
}

/**
 * The state of a job of a run. `retrying`: it failed and is tried again; `failed`: it was given up;
 * `cancelled`: its run was cancelled before the job began.
 */
export const runJobStates = ['queued', 'running', 'retrying', 'done', 'failed', 'cancelled'] as const

/** A run's part for one server, or for the gateway. */
export interface RunJob {
  /** The name that the server has now, or had last before it was deleted; null is the gateway. */
  readonly server: string | null
  readonly state: (typeof runJobStates)[number]
  /** How often a worker took it. */
  readonly tries: number
  /** The error of its last attempt; empty if that did not fail. */
  readonly error: string
  readonly rows_read: number
  /** What all its tries asked. */
  readonly cost: RequestCost
}

/** Something a run noticed and went on. `count` tells how often the same warning came. */
export interface Warning {
  readonly scope: Scope | null
  readonly code: string
  readonly message: string
  readonly count: number
}

/** The code of a warning that the caller lacks a privilege, so that rows of the scope stay hidden from it. */
export const privilegesMissing = 'privileges_missing'

/** How many scopes ended with each outcome. */
export type OutcomeCounts = Readonly<Record<ScopeOutcome, number>>

/** The final state of a run whose scopes ended so. A run without a scope did nothing wrong. */
export function runStatus(outcomes: OutcomeCounts): RunStatus {
  const all = Object.values(outcomes).reduce((sum, n) => sum + n, 0)
  if (outcomes.cancelled > 0) return 'cancelled'
  if (all > 0 && outcomes.failed === all) return 'failed'
  return outcomes.failed > 0 || outcomes.held_back > 0 ? 'incomplete' : 'completed'
}

/** A run as it is recorded and read, also while it runs. */
export interface Run {
  readonly id: number
  readonly status: RunStatus
  readonly resources: ReadonlyArray<Resource>
  /** Names of the chosen servers as they are now, or were last before they were deleted; null: all. */
  readonly servers: ReadonlyArray<string> | null
  /** Their ids, in the same order; null in it: there was no server of that name. */
  readonly serverIds: ReadonlyArray<number | null> | null
  /** Which scopes of them; null: all. */
  readonly scope_filter: ScopeFilter | null
  readonly trigger: RunTrigger
  readonly mode: RunMode
  /** The user who started it; empty for a schedule. */
  readonly user: string
  /** RFC 3339; `started` and `completed` null until then. */
  readonly created: string
  readonly started: string | null
  readonly completed: string | null
  /** Rows landed in main, also through a branch that is merged by now. */
  readonly counts: RowCounts
  /** Rows staged in a branch that is open or was discarded. None of them are in main. */
  readonly staged: StagedCounts
  readonly outcomes: OutcomeCounts
  /** Rows read from the source so far, for progress. */
  readonly rows_read: number
  /** What its jobs have asked of the servers. */
  readonly cost: RequestCost
  /** A sentence when the run as a whole could not be done; else empty. */
  readonly error: string
  readonly cancel_requested: boolean
}
