import type { NaturalKey } from '../key.ts'
import type { FieldValue, ModelName } from '../registry/field.ts'
import type { Facts, SharedKey } from '../registry/registry.ts'

/** A field that changes, with the value it had and the value it gets. */
export interface FieldChange {
  readonly field: string
  readonly base: FieldValue
  readonly value: FieldValue
}

/**
 * A row that main lacks. Fields of other classes take their defaults, and key columns are read from
 * `key`: `values` are the facts as their source gave them, without what its list said for all rows.
 */
export interface Create<M extends ModelName> {
  readonly _tag: 'create'
  /** Given when the row was staged in a branch; else the landing gives it one. */
  readonly id?: number
  readonly key: NaturalKey<M>
  readonly values: Omit<Facts<M>, SharedKey<M>>
}

/**
 * A row that both sides have and that differs in some field, or that was not `listed` before.
 * `fields` may be empty: then the source has only confirmed a row made by a user or held as missing.
 */
export interface Update<M extends ModelName = ModelName> {
  readonly _tag: 'update'
  readonly id: number
  readonly key: NaturalKey<M>
  readonly fields: ReadonlyArray<FieldChange>
  /** The row was manual or missing and is listed from now on. */
  readonly appears: boolean
  /** Immutable fields of a finished object that changed; each gives a warning. */
  readonly broken: ReadonlyArray<string>
}

/** A row whose source no longer lists it, in a scope listed to its end. */
export interface Delete<M extends ModelName = ModelName> {
  readonly _tag: 'delete'
  readonly id: number
  readonly key: NaturalKey<M>
  /** The row is missing already: its deletion was held back before. */
  readonly missing?: true
}

/** One change that brings main closer to the source. Plain data: it can be stored, shown and hashed. */
export type Change<M extends ModelName = ModelName> = Create<M> | Update<M> | Delete<M>
