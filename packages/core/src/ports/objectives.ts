import { Context, Data, type Effect, type Option } from 'effect'
import type { Actor } from '../change-log.ts'
import type { ObjectiveRuleValues, StoredObjectiveRule } from '../protection/objective-rule.ts'
import type { RecordPage, RecordQuery } from '../query/list-query.ts'
import type { ListedPage } from './runs.ts'
import type { ExpectedVersions, StoreFailed, VersionChanged } from './store-failed.ts'

/** Another rule has the name. */
export class ObjectiveNameTaken extends Data.TaggedError('ObjectiveNameTaken')<{ readonly name: string }> {}

/** There are as many rules as there may be. */
export class TooManyObjectives extends Data.TaggedError('TooManyObjectives')<{ readonly most: number }> {}

/** The rules about how old the newest backup of groups may be. Every write is in the change log. */
export class Objectives extends Context.Tag('@netbox-pbs/core/Objectives')<
  Objectives,
  {
    /** By weight, as they apply. Fields are `objectiveFields`; `search` looks in names and comments, in any case. */
    readonly list: (
      request: RecordPage & RecordQuery & { readonly search?: string },
    ) => Effect.Effect<ListedPage<StoredObjectiveRule>, StoreFailed>
    readonly get: (request: { readonly id: number }) => Effect.Effect<Option.Option<StoredObjectiveRule>, StoreFailed>
    readonly create: (request: {
      readonly values: ObjectiveRuleValues
      readonly actor: Actor
    }) => Effect.Effect<StoredObjectiveRule, StoreFailed | ObjectiveNameTaken | TooManyObjectives>
    /** Changes the named fields; none: there is no such rule. */
    readonly update: (request: {
      readonly id: number
      readonly change: Partial<ObjectiveRuleValues>
      readonly actor: Actor
      readonly versions: ExpectedVersions
    }) => Effect.Effect<Option.Option<StoredObjectiveRule>, StoreFailed | ObjectiveNameTaken | VersionChanged>
    /**
     * Judges groups that wait for it: those of namespaces that were judged by other rules, and those of
     * which a backup of the future has come. Until then their protection is unknown. Returns
     * whether more may wait.
     */
    readonly judge: () => Effect.Effect<boolean, StoreFailed>
    /** False: there is no such rule. */
    readonly remove: (request: {
      readonly id: number
      readonly actor: Actor
      readonly versions: ExpectedVersions
    }) => Effect.Effect<boolean, StoreFailed | VersionChanged>
  }
>() {}
