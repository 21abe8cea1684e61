import type { RecordQuery } from './query/list-query.ts'
import type { JsonValue, ModelName } from './registry/field.ts'

/** The actions that the log records. */
export const changeActions = ['create', 'update', 'delete'] as const

/** An action that the log records. */
export type ChangeAction = (typeof changeActions)[number]

/**
 * Subjects of the log apart from inventory rows: settings, users, API tokens and webhooks (never
 * their secrets), event rules, branches, resolutions of conflicts, decisions on held deletions and
 * deliveries, the definitions of tags and custom fields, rules about objectives, how findings are
 * snoozed, and drills.
 */
export const otherLogged = [
  'settings',
  'token',
  'user',
  'branch',
  'conflict',
  'held_deletions',
  'webhook',
  'event_rule',
  'delivery',
  'tag',
  'custom_field',
  'choice_set',
  'objective',
  'finding',
  'encryption_key',
  'drill',
] as const

/** The subject of an entry of the log. */
export type LoggedModel = ModelName | (typeof otherLogged)[number]

/** The user of an entry without a request, such as one from the first start or the command line. */
export const bySystem = 'system'

/** The user behind an edit, and its request. */
export interface Actor {
  /** Username. */
  readonly user: string
  /** UUID. One request gives at most one entry per object. */
  readonly requestId: string
  /** The user's words about the request, for the entries of the objects that it names; left out: none. */
  readonly message?: string
}

/** The longest message of an entry, in characters; NetBox's. */
export const maxMessageLength = 200

/** The author of a change or a decision: a user with a request, or a run. */
export type Author = Actor | { readonly runId: number }

/** Values of a row by field, as REST names them; references are ids. */
export type LoggedValues = { readonly [field: string]: JsonValue }

/**
 * An entry of the change log: an update has the touched fields before and after, a creation the
 * whole row after, a deletion the whole row before, with its `created` and `presence`. Observations
 * and counters are never logged; a summary has the `created` of its rows in `after`.
 */
export interface LoggedChange {
  readonly id: number
  /**
   * RFC 3339: when it was written, in the transaction that commits it later. Entries are in the
   * order of their ids, which is that in which an object was changed.
   */
  readonly time: string
  readonly action: ChangeAction
  readonly model: LoggedModel
  /** Null: the entry summarizes the rows that a run created in one scope. */
  readonly objectId: number | null
  /** The natural key in words; for a summary the title of its scope. It outlives the object. */
  readonly title: string
  /** Id of the object's server; null: none. It outlives the server. */
  readonly serverId: number | null
  /** The branch whose merge landed it, or that the decision is about; null: none. */
  readonly branch: { readonly id: number; readonly name: string } | null
  /** The run that landed it; null: a user wrote it. */
  readonly runId: number | null
  /** The request of the edit; null: a run landed it. */
  readonly requestId: string | null
  /** The user; for a run the user who started it, empty for a schedule. */
  readonly user: string
  /** The user's words about the change; empty: none. */
  readonly message: string
  readonly before: LoggedValues | null
  readonly after: LoggedValues | null
  /**
   * Rows by model: rows created in a scope, which have no entry of their own, or rows deleted with a
   * server, which have one each except tasks. Null: none.
   */
  readonly counts: Readonly<Partial<Record<ModelName, number>>> | null
}

/** Filters of entries, by `changeFields` and more: an entry matches every given filter, and any value of each. */
export interface ChangeFilter extends RecordQuery {
  readonly actions?: ReadonlyArray<ChangeAction>
  readonly models?: ReadonlyArray<LoggedModel>
  readonly objectIds?: ReadonlyArray<number>
  readonly users?: ReadonlyArray<string>
  /** UUIDs. */
  readonly requestIds?: ReadonlyArray<string>
  readonly runIds?: ReadonlyArray<number>
  /** Branches whose merges landed them, or that the decisions are about. */
  readonly branchIds?: ReadonlyArray<number>
  /**
   * Entries after this one, oldest first: every later entry once, including those of transactions that
   * were still running.
   */
  readonly afterId?: number
  /** A text in the user's name or the title, in any case. */
  readonly search?: string
  /** RFC 3339, both included. */
  readonly after?: string
  readonly before?: string
}
