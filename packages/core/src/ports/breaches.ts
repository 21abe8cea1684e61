import { Context, type Effect, type Option } from 'effect'
import type { Breach } from '../protection/breach-record.ts'
import type { RecordPage, RecordQuery } from '../query/list-query.ts'
import type { ListedPage } from './runs.ts'
import type { StoreFailed } from './store-failed.ts'

/** The times in which groups had no backup young enough, of the servers that the present user sees. */
export class Breaches extends Context.Tag('@netbox-pbs/core/Breaches')<
  Breaches,
  {
    /** The latest first. Fields are `breachFields`. */
    readonly list: (request: RecordPage & RecordQuery) => Effect.Effect<ListedPage<Breach>, StoreFailed>
    readonly get: (request: { readonly id: number }) => Effect.Effect<Option.Option<Breach>, StoreFailed>
  }
>() {}
