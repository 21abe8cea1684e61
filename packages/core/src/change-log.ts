import type { JsonValue, ModelName } from './registry/field.ts'

/** What was done to an object. */
export const changeActions = ['create', 'update', 'delete'] as const

/** What was done to an object. */
export type ChangeAction = (typeof changeActions)[number]

/**
 * What the log tells of beside the rows of the inventory: the settings, API tokens (never a secret of either), the life of branches, the answers to their conflicts, and
 * decisions on held deletions.
 */
export const otherLogged = ['settings', 'token', 'branch', 'conflict', 'held_deletions'] as const

/** What an entry of the log can be about. */
export type LoggedModel = ModelName | (typeof otherLogged)[number]

/** The user of an entry that no request asked for, as at the first start or from the command line. */
export const bySystem = 'system'

/** The person behind a edit, and the request it came with. */
export interface Actor {
  /** Username. */
  readonly user: string
  /** UUID. What one request does to one object is one entry. */
  readonly requestId: string
}

/** Whose doing a change or a decision is: a person's in a request, or a run's. */
export type Author = Actor | { readonly runId: number }

/** Values of a row by field, as REST names them; references are ids. */
export type LoggedValues = { readonly [field: string]: JsonValue }

/**
 * An entry of the change log. An update has the touched fields before and after, a creation the whole row after, a deletion the whole row before, with its
 * `created` and `presence`. A sum has after it the `created` of the rows that it stands for. Readings of the moment and counters are in none.
 */
export interface LoggedChange {
  readonly id: number
  /** RFC 3339: when it was written, in the transaction that commits it later. Entries are in the order of their ids, which is that in which an object was changed. */
  readonly time: string
  readonly action: ChangeAction
  readonly model: LoggedModel
  /** Null: the entry sums up what a run has created in one scope. */
  readonly objectId: number | null
  /** The natural key in words; of a sum the title of its scope. It outlives the object. */
  readonly title: string
  /** Id of the object's server; null: none. It outlives the server. */
  readonly serverId: number | null
  /** The branch whose merge landed it, or on which it is a decision; null: none. */
  readonly branch: { readonly id: number; readonly name: string } | null
  /** The run that landed it; null: a user wrote it. */
  readonly runId: number | null
  /** The request of the hand; null: a run landed it. */
  readonly requestId: string | null
  /** The person: of a run who started it; empty for a schedule. */
  readonly user: string
  readonly before: LoggedValues | null
  readonly after: LoggedValues | null
  /** Rows by model: those that a scope has gained, which have no entry of their own, or those that went with a server, which have one each but for tasks. Null: none. */
  readonly counts: Readonly<Partial<Record<ModelName, number>>> | null
}

/** Which entries: those that match all the filters given, each by any of its values. */
export interface ChangeFilter {
  readonly actions?: ReadonlyArray<ChangeAction>
  readonly models?: ReadonlyArray<LoggedModel>
  readonly objectIds?: ReadonlyArray<number>
  readonly users?: ReadonlyArray<string>
  /** UUIDs. */
  readonly requestIds?: ReadonlyArray<string>
  readonly runIds?: ReadonlyArray<number>
  /** Branches whose merges landed them, or on which they are decisions. */
  readonly branchIds?: ReadonlyArray<number>
  /** What came after an entry, oldest first: every later entry once, also those of transactions that were still running. */
  readonly afterId?: number
  /** RFC 3339, both included. */
  readonly after?: string
  readonly before?: string
}
