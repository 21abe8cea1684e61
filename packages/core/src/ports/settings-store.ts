import { Context, Data, type Effect, type Option, type Redacted } from 'effect'
import type { Actor } from '../change-log.ts'
import type { Settings } from '../settings.ts'
import type { ExpectedVersions, StoreFailed, VersionChanged } from './store-failed.ts'

/** A new address of the gateway came without a key, and the stored key is sent only to the old address. */
export class GatewayKeyNeeded extends Data.TaggedError('GatewayKeyNeeded') {
  override get message(): string {
    return 'Send the key of the gateway at the new address. The stored one is sent to no other; an empty key removes it.'
  }
}

/** The one row of settings. */
export class SettingsStore extends Context.Tag('@netbox-pbs/core/SettingsStore')<
  SettingsStore,
  {
    readonly get: () => Effect.Effect<
      Settings & {
        readonly proxbox_api_key_configured: boolean
        readonly created: string
        readonly last_updated: string
      },
      StoreFailed
    >
    /**
     * Changes the named fields; an empty key removes the stored one. A new address needs a key while one
     * is stored, checked in the same transaction.
     */
    readonly update: (
      change: Partial<Settings> & { readonly proxbox_api_key?: Redacted.Redacted<string> },
      /** `actor`: the user and request, for the change log; left out without a request. The log never has the key. */
      by?: { readonly actor?: Actor; readonly versions?: ExpectedVersions },
    ) => Effect.Effect<void, StoreFailed | GatewayKeyNeeded | VersionChanged>
    /** The gateway's API key, decrypted; only for calls to the gateway. */
    readonly proxboxApiKey: () => Effect.Effect<Option.Option<Redacted.Redacted<string>>, StoreFailed>
  }
>() {}
