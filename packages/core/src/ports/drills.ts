import { Context, type Effect, type Option } from 'effect'
import type { Actor } from '../change-log.ts'
import type { Drill, DrillValues } from '../protection/drill.ts'
import type { RecordPage, RecordQuery } from '../query/list-query.ts'
import type { ListedPage } from './runs.ts'
import type { ExpectedVersions, StoreFailed, VersionChanged } from './store-failed.ts'

/** The ledger of restores. Every write of a user is in the change log. */
export class Drills extends Context.Tag('@netbox-pbs/core/Drills')<
  Drills,
  {
    /** The newest first. Fields are `drillFields`. */
    readonly list: (request: RecordPage & RecordQuery) => Effect.Effect<ListedPage<Drill>, StoreFailed>
    readonly get: (request: { readonly id: number }) => Effect.Effect<Option.Option<Drill>, StoreFailed>
    /** None: there is no such server, or the user does not see it. */
    readonly create: (request: {
      readonly serverId: number
      readonly values: DrillValues
      readonly actor: Actor
    }) => Effect.Effect<Option.Option<Drill>, StoreFailed>
    /** Changes the named fields; none: there is no such drill. */
    readonly update: (request: {
      readonly id: number
      readonly change: Partial<DrillValues>
      readonly actor: Actor
      readonly versions: ExpectedVersions
    }) => Effect.Effect<Option.Option<Drill>, StoreFailed | VersionChanged>
    /** False: there is no such drill. */
    readonly remove: (request: {
      readonly id: number
      readonly actor: Actor
      readonly versions: ExpectedVersions
    }) => Effect.Effect<boolean, StoreFailed | VersionChanged>
  }
>() {}
