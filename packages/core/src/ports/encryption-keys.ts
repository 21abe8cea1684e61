import { Context, type Effect, type Option } from 'effect'
import type { Actor } from '../change-log.ts'
import type { EncryptionKey, EncryptionKeyNotes } from '../encryption-key.ts'
import type { RecordPage, RecordQuery } from '../query/list-query.ts'
import type { ListedPage } from './runs.ts'
import type { StoreFailed } from './store-failed.ts'

/** A text to look for, next to the fields of keys. */
export interface EncryptionKeyFilter extends RecordQuery {
  /** A text in the fingerprint, the holder, the place or the comment, in any case. */
  readonly search?: string
}

/**
 * The keys of clients that snapshots name. Users who see some servers only see the keys that snapshots
 * of these name, and what they open there.
 */
export class EncryptionKeys extends Context.Tag('@netbox-pbs/core/EncryptionKeys')<
  EncryptionKeys,
  {
    /** By fingerprint. Fields are `keyFields`. */
    readonly list: (
      request: RecordPage & { readonly filter: EncryptionKeyFilter },
    ) => Effect.Effect<ListedPage<EncryptionKey>, StoreFailed>
    readonly get: (request: { readonly id: number }) => Effect.Effect<Option.Option<EncryptionKey>, StoreFailed>
    /** Notes something of a key. None: there is no such key. The change log has it. */
    readonly note: (request: {
      readonly id: number
      readonly change: Partial<EncryptionKeyNotes>
      readonly actor: Actor
    }) => Effect.Effect<Option.Option<EncryptionKey>, StoreFailed>
  }
>() {}
