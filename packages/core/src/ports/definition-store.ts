import { Context, Data, type Effect } from 'effect'
import type { Actor } from '../change-log.ts'
import type { DefinitionKind, Definitions, ModelField, Tag } from '../definitions/definition.ts'
import type { FieldValues } from '../merge/merge-object.ts'
import type { RecordPage, RecordQuery } from '../query/list-query.ts'
import type { ModelName } from '../registry/field.ts'
import type { ListedPage } from './runs.ts'
import type { ExpectedVersions, StoreFailed, VersionChanged } from './store-failed.ts'

/** Definitions have values that others have already, or that earlier ones of the same request get. */
export class DefinitionsTaken extends Data.TaggedError('DefinitionsTaken')<{
  /** Each definition at fault, by its place in the request, and the field. */
  readonly taken: ReadonlyArray<{ readonly index: number; readonly field: string }>
}> {}

/** There is no definition of that id. `index` is its place in the request. */
export class DefinitionNotFound extends Data.TaggedError('DefinitionNotFound')<{ readonly index: number }> {}

/** A choice set cannot be deleted while custom fields use it. */
export class DefinitionInUse extends Data.TaggedError('DefinitionInUse')<{
  readonly dependents: ReadonlyArray<{ readonly id: number; readonly display: string }>
}> {}

/** Which definitions to list, and in which order. All conditions hold. */
export interface DefinitionFilter extends RecordQuery {
  /** Those that the rows of one of these models may have. */
  readonly models?: ReadonlyArray<ModelName>
  readonly search?: string
}

/** A definition to delete, if it has one of the versions. */
export interface DefinitionRemoval {
  readonly id: number
  readonly versions?: ExpectedVersions
  /** For the change log, in place of the actor's. */
  readonly message?: string
}

/** A definition to change. */
export interface DefinitionUpdate extends DefinitionRemoval {
  readonly values: FieldValues
}

/**
 * Tags, custom fields and choice sets. They are not branched, and each write is one transaction: all
 * of a request or none, with an entry in the change log for each.
 *
 * A deleted tag or field is gone for every row at once, in branches too: rows name it by an id or a
 * key that is never given again, and a reader passes over what no definition has.
 */
export class DefinitionStore extends Context.Tag('@netbox-pbs/core/DefinitionStore')<
  DefinitionStore,
  {
    readonly list: <K extends DefinitionKind>(
      request: RecordPage & { readonly kind: K; readonly filter: DefinitionFilter },
    ) => Effect.Effect<ListedPage<Definitions[K]>, StoreFailed>
    /** In the order of the ids; ids without a definition are left out. */
    readonly byIds: <K extends DefinitionKind>(request: {
      readonly kind: K
      readonly ids: ReadonlyArray<number>
    }) => Effect.Effect<ReadonlyArray<Definitions[K]>, StoreFailed>
    /** Ids of the new definitions, in the order given. Values are whole. */
    readonly create: (request: {
      readonly kind: DefinitionKind
      readonly rows: ReadonlyArray<FieldValues>
      /** Of the entries in the change log, in place of the actor's. */
      readonly messages?: ReadonlyArray<string>
      readonly actor: Actor
    }) => Effect.Effect<ReadonlyArray<number>, StoreFailed | DefinitionsTaken>
    readonly update: (request: {
      readonly kind: DefinitionKind
      readonly rows: ReadonlyArray<DefinitionUpdate>
      readonly actor: Actor
    }) => Effect.Effect<void, StoreFailed | DefinitionsTaken | DefinitionNotFound | VersionChanged>
    readonly remove: (request: {
      readonly kind: DefinitionKind
      readonly rows: ReadonlyArray<DefinitionRemoval>
      readonly actor: Actor
    }) => Effect.Effect<void, StoreFailed | DefinitionNotFound | DefinitionInUse | VersionChanged>
    /** The custom fields of a model's rows, in the order in which people read them. */
    readonly fieldsOf: (request: { readonly model: ModelName }) => Effect.Effect<ReadonlyArray<ModelField>, StoreFailed>
    /** The tags that one of these ids, names or slugs means. */
    readonly tagsNamed: (request: {
      readonly ids?: ReadonlyArray<number>
      readonly names?: ReadonlyArray<string>
      readonly slugs?: ReadonlyArray<string>
    }) => Effect.Effect<ReadonlyArray<Tag>, StoreFailed>
    /** How many rows of main have each of these tags. */
    readonly tagged: (request: {
      readonly ids: ReadonlyArray<number>
    }) => Effect.Effect<ReadonlyMap<number, number>, StoreFailed>
  }
>() {}
