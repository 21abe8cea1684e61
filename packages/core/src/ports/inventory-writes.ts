import { Context, Data, type Effect, type Option } from 'effect'
import type { Actor } from '../change-log.ts'
import type { FieldValue, ModelName } from '../registry/field.ts'
import type { BranchNotOpen, BranchOfRun } from './branch-errors.ts'
import type { ExpectedVersions, StoreFailed, VersionChanged } from './store-failed.ts'

/** The natural key belongs to another row. `index` is the place in a bulk body. */
export class KeyTaken extends Data.TaggedError('KeyTaken')<{ readonly model: ModelName; readonly index: number }> {}

/** The server of a new row was deleted at the same time. `id` is its id. */
export class ServerGone extends Data.TaggedError('ServerGone')<{ readonly id: number }> {
  override get message(): string {
    return `server ${this.id} was just deleted: name another server`
  }
}

/** Models whose rows a person may write. */
export type WritableModel = 'server' | 'datastore' | 'snapshot' | 'job'

/** Validated columns, by name; those left out take their defaults (create) or stay (update). */
export type EditValues = Readonly<Record<string, FieldValue>>

/**
 * Rows written by people. Each call is one transaction: all rows or none. It updates groups, counters
 * and digests and logs the
 * change under the actor; a sync cannot delete a row created here until a source has reported its key.
 * In a branch the writes become entries; closed branches and branches of
 * runs refuse them.
 */
export class InventoryWrites extends Context.Tag('@netbox-pbs/core/InventoryWrites')<
  InventoryWrites,
  {
    /** Ids of the new rows, in the order given. */
    readonly create: (request: {
      readonly model: WritableModel
      readonly rows: ReadonlyArray<EditValues>
      readonly actor: Actor
    }) => Effect.Effect<ReadonlyArray<number>, StoreFailed | KeyTaken | ServerGone | BranchNotOpen | BranchOfRun>
    /** False when there is no such row. */
    readonly update: (request: {
      readonly model: WritableModel
      readonly id: number
      readonly values: EditValues
      readonly actor: Actor
      readonly versions?: ExpectedVersions
    }) => Effect.Effect<boolean, StoreFailed | KeyTaken | ServerGone | BranchNotOpen | BranchOfRun | VersionChanged>
    /** Deletes the row and its descendants; false when there is no such row. */
    readonly remove: (request: {
      readonly model: WritableModel
      readonly id: number
      readonly actor: Actor
      readonly versions?: ExpectedVersions
    }) => Effect.Effect<boolean, StoreFailed | BranchNotOpen | BranchOfRun | VersionChanged>
    /** When a server's endpoint became pending, RFC 3339; none when it is not. */
    readonly pendingSince: (request: { readonly serverId: number }) => Effect.Effect<Option.Option<string>, StoreFailed>
  }
>() {}
