import { Context, Data, type Effect, type Option } from 'effect'
import type { Actor } from '../change-log.ts'
import type { FieldValue, ModelName } from '../registry/field.ts'
import type { BranchNotOpen, BranchOfRun } from './branch-errors.ts'
import type { ExpectedVersions, StoreFailed, VersionChanged } from './store-failed.ts'

/** The natural key, or the value of a unique custom field, belongs to another row. `index` is the place in the request. */
export class KeyTaken extends Data.TaggedError('KeyTaken')<{
  readonly model: ModelName
  readonly index: number
  /** The name of the custom field; left out: it is the key. */
  readonly customField?: string
}> {}

/** There is no row of that id. `index` is its place in the request. */
export class RowNotFound extends Data.TaggedError('RowNotFound')<{
  readonly model: ModelName
  readonly index: number
}> {}

/** The server that a row names was deleted at the same time. `id` is its id, `index` the row's place in the request. */
export class ServerGone extends Data.TaggedError('ServerGone')<{ readonly id: number; readonly index: number }> {
  override get message(): string {
    return `server ${this.id} was just deleted: name another server`
  }
}

/** Models whose rows a person may write. */
export type WritableModel = 'server' | 'datastore' | 'snapshot' | 'job'

/**
 * Validated columns, by name; those left out take their defaults (create) or stay (update). `tags` are
 * ids, and `custom_fields` has values by the keys of the fields; `add_tags`, `remove_tags` and
 * `set_custom_fields` of an update change what the row has under its lock.
 */
export type EditValues = Readonly<Record<string, FieldValue>>

/** A row to delete, if it has one of the versions. */
export interface RowRemoval {
  readonly id: number
  readonly versions?: ExpectedVersions
  /** The message of the row's entry in the change log, in place of the actor's. */
  readonly message?: string
}

/** A row to change, if it has one of the versions. */
export interface RowUpdate extends RowRemoval {
  readonly values: EditValues
}

/**
 * Rows written by people: up to 1 000 of a model with each call, each row once. A call is one
 * transaction: all rows or none, and an error names the first row at fault by its place.
 *
 * - The result is judged as a whole: two rows may exchange their keys.
 * - Groups, counters and digests are updated, and the changes are logged under the actor in the
 *   order of the request.
 * - A sync cannot delete a row created here until a source has reported its key.
 * - In a branch the writes become entries; closed branches and branches of runs refuse them. An entry
 *   keeps the last message about it, for the log of the merge.
 */
export class InventoryWrites extends Context.Tag('@netbox-pbs/core/InventoryWrites')<
  InventoryWrites,
  {
    /** Ids of the new rows, in the order given. */
    readonly create: (request: {
      readonly model: WritableModel
      readonly rows: ReadonlyArray<EditValues>
      /** The messages of the rows' entries in the change log, in place of the actor's. */
      readonly messages?: ReadonlyArray<string>
      readonly actor: Actor
    }) => Effect.Effect<ReadonlyArray<number>, StoreFailed | KeyTaken | ServerGone | BranchNotOpen | BranchOfRun>
    /** Of a model that people do not write, only tags and custom fields, and only in main. */
    readonly update: (request: {
      readonly model: ModelName
      readonly rows: ReadonlyArray<RowUpdate>
      readonly actor: Actor
    }) => Effect.Effect<
      void,
      StoreFailed | RowNotFound | KeyTaken | ServerGone | BranchNotOpen | BranchOfRun | VersionChanged
    >
    /** Deletes the rows and their descendants. */
    readonly remove: (request: {
      readonly model: WritableModel
      readonly rows: ReadonlyArray<RowRemoval>
      readonly actor: Actor
    }) => Effect.Effect<void, StoreFailed | RowNotFound | BranchNotOpen | BranchOfRun | VersionChanged>
    /** When a server's endpoint became pending, RFC 3339; none when it is not. */
    readonly pendingSince: (request: { readonly serverId: number }) => Effect.Effect<Option.Option<string>, StoreFailed>
  }
>() {}
